/** KPI sets: which numbers a role is judged by, with their weights, and whose they are. */

import { api, boot, lang, metricOf, metrics, plural, t } from "../context.js";
import { h, icon, replace } from "../dom.js";
import { openDrawer, toast } from "../overlay.js";
import { input, labelled, loaded, problem, rows, select, tick } from "./parts.js";

const FOCUS = 7;
const WAIT_MS = 500;

export function showSets(box) {
  void loaded(box, async () => ({ found: await api.fresh("/api/v1/sets"), org: await api.fresh("/api/v1/org") }), ({ found, org }) => {
    const again = () => showSets(box);
    return [
      h("section", { class: "panel" }, h("div", { class: "panel-head" }, h("h2", {}, t("admin.tab.sets")), h("span", { class: "spring" }), h("button", { class: "button primary small", type: "button", data: { key: "set-new" }, onClick: () => edit(blank(), org, again) }, icon("plus"), t("admin.new_set"))),
        found.sets.filter((one) => !one.is_retired).length
          ? h("ul", { class: "sets" }, found.sets.filter((one) => !one.is_retired).map((one) => h("li", {},
            h("div", {}, h("b", {}, one.name), h("p", { class: "aside" }, one.purpose), h("p", { class: "chips" }, one.metrics.map((line) => h("span", { class: "tag" }, `${line.name ?? line.metric} ×${line.weight}`)))),
            h("div", { class: "set-side" }, h("span", { class: "aside" }, plural("people.count", one.people)), h("span", { class: "aside" }, t("admin.version", { n: one.version, day: day(one.starts_on) })),
              h("button", { class: "button small outlined", type: "button", "aria-label": `${t("admin.edit")}: ${one.name}`, onClick: () => edit(one, org, again) }, t("admin.edit"))))))
          : h("p", { class: "empty" }, t("admin.no_sets"))),
      h("section", { class: "panel" }, h("div", { class: "panel-head" }, h("h2", {}, t("admin.ready_sets")), h("span", { class: "aside" }, t("admin.hint.ready_sets"))),
        h("ul", { class: "sets ready" }, found.ready.map((one) => h("li", {}, h("div", {}, h("b", {}, one.name), h("p", { class: "aside" }, one.purpose), h("p", { class: "chips" }, one.metrics.map((line) => h("span", { class: "tag" }, line.name)))),
          h("div", { class: "set-side" }, h("button", { class: "button small outlined", type: "button", "aria-label": `${t("admin.take")}: ${one.name}`, onClick: () => edit({ ...blank(), name: one.name, purpose: one.purpose, metrics: one.metrics }, org, again) }, t("admin.take"))))))),
    ];
  });
}

function blank() {
  return { id: null, version: null, name: "", purpose: "", owner: null, metrics: [], assigned: { departments: [], positions: [], users: [] } };
}

/** The editor of one set. Every save is a new version; what was before stays as it was. */
function edit(set, org, again) {
  const draft = { name: set.name, purpose: set.purpose, owner_id: set.owner?.id ?? null, starts_on: boot.layout.today, metrics: set.metrics.map(({ metric, weight }) => ({ metric, weight })), assigned: structuredClone(set.assigned) };
  const known = metrics.map(({ key, name }) => [key, name]).filter(([key]) => key !== "funnel");
  const people = org.employees.filter(({ active }) => active).map(({ id, name }) => [id, name || `#${id}`]);
  const positions = [...new Set(org.employees.map(({ position }) => position).filter(Boolean))].sort();
  const warned = h("ul", { class: "warnings", "aria-live": "polite" });
  const note = h("p", { class: "form-note", role: "status" });
  let timer = null;

  function changed() {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const found = await api.post("/api/v1/sets/check", draft).catch(() => null);
      const lines = (found?.warnings ?? []).map((one) => one.text ?? one);
      replace(warned, lines.map((text) => h("li", {}, icon("warn"), text)));
    }, WAIT_MS);
  }

  async function save() {
    try {
      if (set.id) await api.put(`/api/v1/sets/${set.id}`, { ...draft, version: set.version });
      else await api.post("/api/v1/sets", draft);
      close();
      await toast(t("admin.saved"));
      again();
    } catch (error) {
      replace(note, icon("warn"), h("span", {}, error.status === 409 ? t("admin.set_moved") : problem(error)));
    }
  }

  async function retire() {
    await api.remove(`/api/v1/sets/${set.id}?version=${set.version}`);
    close();
    again();
  }

  const chosen = (list, id, on) => (on ? [...list, id] : list.filter((one) => one !== id));
  const assign = (name, options) => (options.length ? h("details", { open: draft.assigned[name].length > 0 }, h("summary", {}, t(`admin.assign.${name}`), draft.assigned[name].length ? ` (${draft.assigned[name].length})` : ""),
    h("div", { class: "ticks" }, options.map(([id, text]) => tick(text, draft.assigned[name].includes(id), (on) => { draft.assigned[name] = chosen(draft.assigned[name], id, on); changed(); })))) : null);
  const close = openDrawer({
    title: set.id ? set.name : t("admin.new_set"), wide: true,
    body: h("div", { class: "admin-form" },
      labelled(t("admin.name"), input(draft.name, (value) => { draft.name = value; }, { maxlength: "200" })),
      labelled(t("admin.purpose"), input(draft.purpose, (value) => { draft.purpose = value; }, { maxlength: "2000" })),
      h("div", { class: "fields" },
        labelled(t("admin.owner"), select(draft.owner_id ?? "", [["", "—"], ...people], (value) => { draft.owner_id = Number(value) || null; })),
        labelled(t("admin.starts_on"), input(draft.starts_on, (value) => { draft.starts_on = value; }, { type: "date" }))),
      h("h3", {}, t("admin.set_metrics")),
      rows({ label: "KPI", list: draft.metrics, add: t("admin.add_metric"), fresh: () => ({ metric: known.find(([key]) => !draft.metrics.some((one) => one.metric === key))?.[0] ?? known[0][0], weight: 1 }), onChange: (list) => { draft.metrics = list; changed(); }, row: (line, change) => [
        labelled("KPI", select(line.metric, known.some(([key]) => key === line.metric) ? known : [...known, [line.metric, metricOf(line.metric).name]], (value) => { line.metric = value; change(line); })),
        labelled(t("admin.weight"), input(line.weight, (value) => { line.weight = Number(value); change(line); }, { type: "number", min: "0.1", step: "0.5" })),
      ] }),
      h("p", { class: "aside" }, t("admin.hint.focus", { n: FOCUS })), warned,
      h("h3", {}, t("admin.assigned")),
      assign("departments", org.departments.map(({ id, name, depth }) => [id, `${"\u2003".repeat(depth)}${name}`])), assign("positions", positions.map((name) => [name, name])), assign("users", people), note),
    footer: [
      h("button", { class: "button primary", type: "button", data: { key: "set-save" }, onClick: () => void save() }, t("admin.save")),
      set.id ? h("button", { class: "button quiet", type: "button", onClick: () => void retire() }, t("admin.retire")) : null,
    ].filter(Boolean),
  });
  if (set.metrics.length) changed();
}

function day(text) {
  return new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeZone: "UTC" }).format(new Date(`${text}T00:00:00Z`));
}
