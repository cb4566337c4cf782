/** The table of people (or departments): a row each, columns are KPIs. A list on narrow screens. */

import { boot, lang, metricOf, plural, style, t } from "./context.js";
import { targetBar } from "./card.js";
import { h, icon, replace } from "./dom.js";
import { DASH, exact, kindOf, short } from "./format.js";
import { shareText, shortfall, statusOf } from "./standing.js";

const WORST_SHOWN = 2;
const ROWS_AT_ONCE = 120;
const FILTER_FROM = 15;
const narrow = matchMedia("(max-width: 767px)");

/** Calls back whenever the screen becomes narrow or wide: the table has another shape then. */
export function onShape(redraw) {
  narrow.addEventListener("change", redraw);
}

/** True where people are a list instead of a table. */
export function isNarrow() {
  return narrow.matches;
}

/**
 * The table. `people` are `{key, name, note, photo, group, away}` in no order; `answer` holds a value with rows for
 * every metric; `view` is what the viewer has chosen: `{sort: {by, down}, filter, all, chosen: Set | null}`, changed
 * through `onView`. Cells call `onCell(key, metric)`, names `onRow(key)`. `actions(people)` are the buttons for the
 * chosen people; without it nobody can be chosen.
 */
export function peopleTable({ title, people, answer, metrics, view, onView, onRow, onCell, caption, picture = true, actions = null }) {
  const table = { rows: index(answer), metrics, answer, onRow, onCell, picture, view, onView };
  table.hasTargets = metrics.some((key) => [...(table.rows.get(key)?.values() ?? [])].some((row) => isSet(row.target)));
  table.most = Object.fromEntries(metrics.map((key) => [key, largest(table.rows, key, people)]));
  table.canChoose = Boolean(actions) && !isNarrow();
  const wanted = view.filter?.trim().toLocaleLowerCase(lang) ?? "";
  const found = wanted ? people.filter((one) => `${one.name} ${one.note ?? ""}`.toLocaleLowerCase(lang).includes(wanted)) : people;
  const groups = arranged(found, table);
  const ordered = groups.flatMap(({ members }) => members);
  const shown = view.all ? null : new Set(ordered.slice(0, ROWS_AT_ONCE));
  const bar = h("div", { class: "chosen-bar", role: "group", "aria-label": t("people.chosen_actions") });
  table.drawChosen = () => {
    const chosen = ordered.filter((one) => view.chosen?.has(one.key));
    bar.hidden = !chosen.length;
    if (table.chooseAll) Object.assign(table.chooseAll, { checked: chosen.length === ordered.length, indeterminate: chosen.length > 0 && chosen.length < ordered.length });
    if (chosen.length) replace(bar, h("b", { role: "status" }, plural("people.chosen", chosen.length)), actions(chosen),
      h("button", { class: "button quiet small", type: "button", data: { key: "choose-none" }, onClick: () => onView({ chosen: new Set() }) }, t("people.choose_none")));
  };
  const section = h("section", { class: "panel people", "aria-label": title },
    h("div", { class: "panel-head" }, h("h2", {}, title), caption && h("span", { class: "aside" }, caption),
      table.hasTargets && !isNarrow() && h("button", { class: "button quiet small", type: "button", "aria-pressed": String(view.sort.by === "attention"), data: { key: `attention-${title}` }, onClick: () => onView({ sort: { by: "attention", down: false } }) }, icon("warn"), t("people.attention")),
      people.length >= FILTER_FROM && h("input", { class: "field search", type: "search", placeholder: t("people.filter"), "aria-label": t("people.filter"), value: view.filter ?? "", data: { key: `filter-${title}` }, onInput: (event) => onView({ filter: event.target.value }) })),
    bar,
    !people.length ? h("p", { class: "empty" }, t("people.empty")) : !found.length ? h("p", { class: "empty" }, t("records.nothing_found"))
      : isNarrow() ? narrowList(groups, shown, table) : wideTable(title, groups, shown, ordered, table),
    shown && ordered.length > shown.size ? h("div", { class: "table-foot" }, h("button", { class: "button quiet", type: "button", data: { key: `all-${title}` }, onClick: () => onView({ all: true }) }, plural("people.show_all", ordered.length))) : null);
  table.drawChosen();
  return section;
}

/** A face, or initials on a calm ground. */
export function avatar(person, large = false) {
  const size = large ? "avatar large" : "avatar";
  if (person.photo) return h("img", { class: size, src: person.photo, alt: "", loading: "lazy", referrerpolicy: "no-referrer" });
  const initials = person.name.split(/\s+/).filter(Boolean).slice(0, 2).map((part) => part[0]).join("").toUpperCase();
  return h("span", { class: size, "aria-hidden": "true" }, initials || "?");
}

/** How much somebody needs attention: the largest shortfall of any KPI beside its pace; null without targets. */
export function attention(rowOf, metrics) {
  const all = metrics.map((key) => shortfall(rowOf(key), metricOf(key))).filter((one) => one !== null);
  return all.length ? Math.max(...all) : null;
}

function wideTable(title, groups, shown, ordered, table) {
  const { metrics, view, onView } = table;
  table.chooseAll = table.canChoose ? h("input", { type: "checkbox", "aria-label": t("people.choose_all"), data: { key: "choose-all" }, onChange: (event) => onView({ chosen: new Set(event.target.checked ? ordered.map((one) => one.key) : []) }) }) : null;
  return h("div", { class: "table-box", tabindex: "0", role: "group", "aria-label": title, data: { scroll: title } },
    h("table", { class: `table ${table.canChoose ? "choosing" : ""}` },
      h("thead", {}, h("tr", {},
        h("th", { scope: "col", class: "first", "aria-sort": sorted(view.sort, "name") }, h("div", { class: "person" },
          table.chooseAll,
          sortButton("name", t("people.name"), table))),
        metrics.map((key) => h("th", { scope: "col", "aria-sort": sorted(view.sort, key) }, sortButton(key, metricOf(key).short_name ?? metricOf(key).name, table, metricOf(key).name))))),
      groups.map(({ name, members }) => h("tbody", {},
        name && h("tr", { class: "group-row" }, h("th", { scope: "rowgroup", colspan: metrics.length + 1 }, name)),
        members.filter((one) => !shown || shown.has(one)).map((person) => row(person, table))))));
}

function sorted(sort, key) {
  return sort.by === key ? (sort.down ? "descending" : "ascending") : null;
}

/** A heading that sorts; `full` is what its short name stands for. */
function sortButton(key, name, { view, onView }, full = name) {
  const down = view.sort.by === key ? !view.sort.down : key !== "name";
  return h("button", { class: "sort", type: "button", title: full === name ? null : full, "aria-label": full === name ? null : `${name} (${full})`, data: { key: `sort-${key}` }, onClick: () => onView({ sort: { by: key, down } }) }, name, icon("arrow"));
}

function row(person, table) {
  const { metrics, rows, view } = table;
  const isChosen = view.chosen?.has(person.key) ?? false;
  const choose = (event) => { // only this row changes: the table may have hundreds
    if (!view.chosen.delete(person.key)) view.chosen.add(person.key);
    event.target.closest("tr").classList.toggle("chosen", view.chosen.has(person.key));
    table.drawChosen();
  };
  return h("tr", { class: isChosen ? "chosen" : null, data: { row: person.key } },
    h("th", { scope: "row", class: "first" }, label(person, table,
      table.canChoose && h("input", { type: "checkbox", checked: isChosen, "aria-label": t("people.choose", { name: person.name }), data: { key: `choose-${person.key}` }, onChange: choose }))),
    metrics.map((key) => h("td", {}, cell(person, key, rows.get(key)?.get(person.key), table))));
}

function label(person, { onRow, picture }, before = null) {
  const depth = person.depth ? { style: { "padding-inline-start": `${person.depth * 16}px` } } : {};
  return h("div", { class: "person", ...depth }, before, picture && avatar(person),
    h("span", { class: "names" },
      onRow ? h("button", { type: "button", data: { key: `row-${person.key}` }, onClick: () => onRow(person.key) }, person.name) : h("b", {}, person.name),
      person.note && h("small", {}, person.note),
      person.away && h("small", { class: "tag" }, person.away)));
}

function cell(person, key, value, table) {
  const { answer, onCell, most } = table;
  const metric = metricOf(key);
  const shown = text(value, key, answer);
  const standing = statusOf(value);
  const isQuiet = shown === DASH || value?.few_data;
  const mark = standing?.tone ? h("span", { class: `status ${standing.tone}`, title: t(standing.word) }, icon(standing.glyph), h("span", { class: "hidden-text" }, t(standing.word))) : null;
  const inside = [
    h("span", { class: "line", title: value ? tooltip(value, metric, answer) : null }, mark, h("span", { class: isQuiet ? "number quiet" : "number" }, shown)),
    meter(value, metric, standing, most[key], table),
  ];
  if (shown === DASH || !onCell) return h("span", { class: "cell" }, inside);
  const said = [`${person.name}, ${metric.name}: ${shown}`, standing && t(standing.word)].filter(Boolean).join(", ");
  return h("button", { class: "cell", type: "button", "aria-label": said, data: { key: `cell-${person.key}-${key}` }, onClick: () => onCell(person.key, key) }, inside);
}

/** A target's bar; where nobody has a target, how the value stands beside the largest. */
function meter(value, metric, standing, most, { hasTargets }) {
  if (!value || value.value === null) return null;
  if (hasTargets) return targetBar(value, metric, { thin: true, tone: standing?.tone ?? "" });
  const share = kindOf(metric.unit) === "ratio" ? Number(value.value) : most > 0 ? Number(value.value) / most : 0;
  return h("span", { class: `meter thin ${value.few_data ? "few" : ""}`, "aria-hidden": "true" }, h("i", { style: { width: `${Math.max(0, Math.min(1, share)) * 100}%` } }));
}

function text(value, key, answer) {
  return value ? short(value.value, metricOf(key).unit, style(answer)) : DASH;
}

function tooltip(value, metric, answer) {
  const how = style(answer);
  const fraction = kindOf(metric.unit) === "ratio" && value.denominator ? ` (${t("card.fraction", { a: value.numerator, b: value.denominator })})` : "";
  const target = isSet(value.target) ? ` · ${t("card.target", { target: short(value.target, metric.unit, how) })}${isSet(value.attainment) ? ` · ${shareText(value.attainment, lang)}` : ""}` : "";
  return `${exact(value.value, metric.unit, how)}${fraction}${target}${value.few_data ? ` · ${t("state.few")}` : ""}`;
}

function isSet(value) {
  return value !== null && value !== undefined;
}

function index(answer) {
  return new Map((answer?.values ?? []).map((value) => [value.metric, new Map((value.rows ?? []).map((row) => [row.key, row]))]));
}

function largest(rows, metric, people) {
  return Math.max(0, ...people.map(({ key }) => Number(rows.get(metric)?.get(key)?.value ?? 0)));
}

const GROUPS = ["", "new", "away", "untargeted", "silent", "dismissed"];

/** Groups in their order, the people in each in the chosen one; who has no number stands last. */
function arranged(people, table) {
  const { rows, metrics, view, hasTargets } = table;
  const { by, down } = view.sort;
  const order = down ? -1 : 1;
  const rowOf = (person) => (key) => rows.get(key)?.get(person.key);
  const needs = new Map(people.map((one) => [one.key, attention(rowOf(one), metrics)]));
  const byName = (a, b) => a.name.localeCompare(b.name, boot.lang);
  const valueOf = (person) => {
    if (by === "attention") return hasTargets ? needs.get(person.key) : rowOf(person)(metrics[0])?.value ?? null;
    return rowOf(person)(by)?.value ?? null;
  };
  const compare = (a, b) => {
    if (by === "name") return order * byName(a, b);
    if (by === "order") return a.order - b.order;
    const [x, y] = [valueOf(a), valueOf(b)];
    if (x === null || y === null) return (x === null) - (y === null) || byName(a, b);
    return (by === "attention" ? Number(y) - Number(x) : order * (Number(x) - Number(y))) || byName(a, b);
  };
  const groupOf = (person) => {
    if (person.group || by === "order") return person.group ?? "";
    if (hasTargets && needs.get(person.key) === null && !metrics.some((key) => isSet(rowOf(person)(key)?.target))) return "untargeted";
    return metrics.some((key) => Number(rowOf(person)(key)?.value ?? 0)) || hasTargets ? "" : "silent";
  };
  const groups = new Map();
  for (const person of people) groups.set(groupOf(person), [...(groups.get(groupOf(person)) ?? []), person]);
  return GROUPS.filter((group) => groups.has(group))
    .map((group) => ({ name: group ? t(`people.${group}`) : null, members: groups.get(group).sort(compare) }));
}

function narrowList(groups, shown, table) {
  const { rows, metrics, answer } = table;
  return h("div", {}, groups.map(({ name, members }) => [
    name && h("h3", { class: "group-name" }, name),
    h("ul", { class: "list-rows" }, members.filter((one) => !shown || shown.has(one)).map((person) =>
      h("li", { data: { row: person.key } }, label(person, table),
        h("dl", {}, weakest(person, table).map((key) => {
          const value = rows.get(key)?.get(person.key);
          const standing = statusOf(value);
          return [h("dt", {}, metricOf(key).name), h("dd", {}, standing?.tone ? h("span", { class: `status ${standing.tone}` }, icon(standing.glyph), h("span", { class: "hidden-text" }, t(standing.word))) : null, " ", h("span", { class: "number" }, text(value, key, answer)))];
        })))))]));

  /** The KPIs that need attention most; without targets, those in which the person stands lowest. */
  function weakest(person) {
    const place = (key) => {
      const value = rows.get(key)?.get(person.key);
      const short_ = shortfall(value, metricOf(key));
      if (short_ !== null) return -short_ - 10;
      if (!isSet(value?.value)) return 2;
      const all = [...(rows.get(key)?.values() ?? [])].map((other) => Number(other.value)).filter(Number.isFinite);
      return all.filter((other) => other < Number(value.value)).length / (all.length || 1);
    };
    if (table.hasTargets) return [...metrics].sort((a, b) => place(a) - place(b)).slice(0, WORST_SHOWN);
    const [first, ...others] = metrics;
    return [first, ...others.sort((a, b) => place(a) - place(b)).slice(0, WORST_SHOWN - 1)];
  }
}
