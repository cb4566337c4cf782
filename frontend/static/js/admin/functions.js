/** What to measure: four functions with the KPIs that this portal can have, and which department each is for. */

import { api, boot, lang, metricOf, plural, t } from "../context.js";
import { h, icon, replace } from "../dom.js";
import { examplePoints, exampleValue } from "../example.js";
import { short } from "../format.js";
import { sparkline } from "../sparkline.js";
import { labelled, loaded, panel, saver, select } from "./parts.js";

export function showFunctions(box, { onTab }) {
  void loaded(box, async () => ({ offer: await api.fresh("/api/v1/settings/functions"), known: (await api.fresh("/api/v1/sets")).sets }),
    ({ offer, known }) => form(offer, known, { onTab, again: () => showFunctions(box, { onTab }) }));
}

function form(offer, known, { onTab, again }) {
  const choices = begin(offer, known);
  const told = h("div", { class: "set-preview", "aria-live": "polite" });
  const save = saver(async () => {
    for (const set of setsOf(choices)) await store(set, offer, known);
    again();
  }, t("admin.save_functions"));
  save.append(h("span", { class: "spring" }), h("button", { class: "button quiet", type: "button", data: { key: "run-sets" }, onClick: () => onTab("sets") }, t("admin.all_sets")));
  const changed = () => replace(told, preview(setsOf(choices), offer));
  changed();
  return [
    panel(t("admin.run.functions"), t("example.hint"),
      h("p", {}, t("admin.hint.functions")),
      offer.is_read ? null : h("p", { class: "aside" }, t("admin.hint.still_reading")),
      h("div", { class: "functions" }, offer.functions.map((one, place) => tile(one, choices[place], offer, changed))),
      told,
      offer.departments.length ? save : h("p", { class: "aside" }, t("admin.hint.no_departments"))),
  ];
}

/** What is chosen at first: what the stored sets say, else what was found. */
function begin(offer, known) {
  const root = offer.departments[0]?.id ?? null;
  return offer.functions.map((one) => {
    const own = new Set(one.metrics.map(({ metric }) => metric));
    const stored = known.find((set) => !set.is_retired && set.assigned.departments.length === 1 && set.metrics.some(({ metric }) => own.has(metric)));
    const named = stored ? stored.metrics.map(({ metric }) => metric) : one.metrics.filter((line) => line.is_suggested).map(({ metric }) => metric);
    return {
      name: one.name, purpose: one.purpose, metrics: one.metrics,
      isOn: stored ? true : !known.length && one.is_found,
      chosen: new Set(named.filter((metric) => own.has(metric))),
      department: stored ? stored.assigned.departments[0] : one.department?.id ?? root,
    };
  });
}

function tile(one, choice, { departments, currency, most }, changed) {
  const id = `function-${one.key}`;
  const examples = h("fieldset", { class: "examples", disabled: !choice.isOn },
    h("legend", { class: "hidden-text" }, one.name),
    one.metrics.map((line) => example(line, choice, currency, changed)),
    departments.length ? labelled(t("admin.for_whom"), select(choice.department, departments.map(({ id: value, name, depth }) => [value, `${"\u2003".repeat(depth)}${name}`]), (value) => { choice.department = Number(value); changed(); })) : null);
  const section = h("section", { class: "function", data: { function: one.key, on: String(choice.isOn) }, "aria-labelledby": id },
    h("label", { class: "function-head" },
      h("input", { type: "checkbox", checked: choice.isOn, data: { key: id }, onChange: (event) => {
        choice.isOn = event.target.checked;
        examples.disabled = !choice.isOn;
        if (choice.isOn && !choice.chosen.size) begun(examples, choice, most);
        section.dataset.on = String(choice.isOn);
        changed();
      } }),
      h("b", { id }, one.name), h("small", {}, one.purpose)),
    h("p", { class: "chips" }, signs(one)),
    examples);
  return section;
}

/** A function that was not found, but is wanted: its first KPIs are ticked. */
function begun(examples, choice, most) {
  for (const { metric } of choice.metrics.slice(0, most)) {
    choice.chosen.add(metric);
    examples.querySelector(`[data-key=kpi-${metric}]`).checked = true;
  }
}

function signs(one) {
  const found = one.signs.filter((sign) => sign.is_found);
  if (!found.length) return h("span", { class: "tag" }, t("admin.nothing_found"));
  return found.map(({ sign, count }) => h("span", { class: "tag good" }, icon("check"), count === null ? t(`admin.sign.${sign}`) : plural(`admin.sign_n.${sign}`, count)));
}

/** One KPI to choose, with an invented number and its line. */
function example(line, choice, currency, changed) {
  const metric = metricOf(line.metric);
  return h("label", { class: "example", title: metric.meaning || null },
    h("input", { type: "checkbox", checked: choice.chosen.has(line.metric), data: { key: `kpi-${line.metric}` }, onChange: (event) => { choice.chosen[event.target.checked ? "add" : "delete"](line.metric); changed(); } }),
    h("span", {}, line.name),
    h("strong", { class: "number" }, short(String(exampleValue(line.metric)), metric.unit, { lang, t, currency })),
    sparkline(examplePoints(line.metric), { running: false }));
}

/** The sets that the choices make: one for each department, with the KPIs of all functions that it does. */
export function setsOf(choices) {
  const sets = new Map();
  for (const one of choices) {
    const metrics = one.metrics.filter(({ metric }) => one.chosen.has(metric)).map(({ metric, weight }) => ({ metric, weight }));
    if (!one.isOn || !metrics.length) continue;
    const known = sets.get(one.department);
    if (!known) sets.set(one.department, { department: one.department, name: one.name, purpose: one.purpose, metrics });
    else Object.assign(known, { name: `${known.name}, ${one.name.toLocaleLowerCase(lang)}`, purpose: `${known.purpose} ${one.purpose}`, metrics: [...known.metrics, ...metrics] });
  }
  return [...sets.values()];
}

function preview(sets, { departments, focus }) {
  if (!sets.length) return h("p", { class: "aside" }, t("admin.nothing_chosen"));
  return h("ul", { class: "preview" }, sets.map(({ department, name, metrics }) => h("li", { class: metrics.length > focus ? "over" : null },
    h("b", {}, departments.find(({ id }) => id === department)?.name ?? t("page.company")),
    h("span", {}, `${name}: ${plural("admin.kpis", metrics.length)}`),
    metrics.length > focus ? h("span", { class: "warn-line", role: "status" }, icon("warn"), plural("admin.too_many", metrics.length, { focus })) : null)));
}

/** A new set for the department, or a new version of the one that it has alone. */
async function store({ department, name, purpose, metrics }, offer, known) {
  const own = known.find(({ is_retired: isRetired, assigned }) => !isRetired && assigned.departments.join() === String(department) && !assigned.positions.length && !assigned.users.length);
  const body = { name, purpose, owner_id: own?.owner?.id ?? null, starts_on: boot.layout.today, metrics, assigned: { departments: [department], positions: [], users: [] } };
  if (own) await api.put(`/api/v1/sets/${own.id}`, { ...body, version: own.version });
  else await api.post("/api/v1/sets", body);
}
