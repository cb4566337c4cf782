/** The table of people (or departments): a row each, columns are KPIs. A list on narrow screens. */

import { boot, metricOf, style, t } from "./context.js";
import { h, icon } from "./dom.js";
import { DASH, exact, kindOf, short } from "./format.js";

const WORST_SHOWN = 2;

/**
 * The table. `people` are `{key, name, note, photo, group}` in no order; `answer` holds a value with rows for
 * every metric; `sort` is `{by, down}`. Cells call `onCell(key, metric)`, names `onRow(key)`.
 */
export function peopleTable({ title, people, answer, metrics, sort, onSort, onRow, onCell, caption, picture = true, totals }) {
  const rows = index(answer);
  const most = Object.fromEntries(metrics.map((key) => [key, largest(rows, key, people)]));
  const groups = arranged(people, rows, sort, metrics);
  return h("section", { class: "panel people", "aria-label": title },
    h("div", { class: "panel-head" }, h("h2", {}, title), caption && h("span", { class: "aside" }, caption)),
    h("div", { class: "table-box", tabindex: "0", role: "group", "aria-label": title, data: { scroll: title } },
      h("table", { class: "table" },
        h("thead", {}, h("tr", {},
          headCell("name", t("people.name"), sort, onSort, "first"),
          metrics.map((key) => headCell(key, metricOf(key).name, sort, onSort)))),
        groups.map(({ name, members }) => h("tbody", {},
          name && h("tr", { class: "group-row" }, h("th", { scope: "rowgroup", colspan: metrics.length + 1 }, name)),
          members.map((person) => row(person, rows, metrics, answer, most, { onRow, onCell, picture })))),
        totals && h("tbody", {}, h("tr", { class: "total" }, h("th", { scope: "row", class: "first start" }, t("people.total")),
          metrics.map((key) => h("td", { class: "number" }, text(answer.values.find((v) => v.metric === key), key, answer))))))),
    people.length ? narrowList(groups, rows, metrics, answer, { onRow, picture }) : h("p", { class: "empty" }, t("people.empty")));
}

/** A face, or initials on a calm ground. */
export function avatar(person, large = false) {
  const size = large ? "avatar large" : "avatar";
  if (person.photo) return h("img", { class: size, src: person.photo, alt: "", loading: "lazy", referrerpolicy: "no-referrer" });
  const initials = person.name.split(/\s+/).filter(Boolean).slice(0, 2).map((part) => part[0]).join("").toUpperCase();
  return h("span", { class: size, "aria-hidden": "true" }, initials || "?");
}

function headCell(key, name, sort, onSort, className = "") {
  const sorted = sort.by === key ? (sort.down ? "descending" : "ascending") : null;
  return h("th", { scope: "col", class: className || null, "aria-sort": sorted },
    h("button", { class: "sort", type: "button", data: { key: `sort-${key}` }, onClick: () => onSort(key) }, name, icon("arrow")));
}

function row(person, rows, metrics, answer, most, { onRow, onCell, picture }) {
  return h("tr", { data: { row: person.key } },
    h("th", { scope: "row", class: "first" }, label(person, onRow, picture)),
    metrics.map((key) => h("td", {}, cell(person, key, rows.get(key)?.get(person.key), answer, most[key], onCell))));
}

function label(person, onRow, picture) {
  const depth = person.depth ? { style: { "padding-inline-start": `${person.depth * 16}px` } } : {};
  return h("div", { class: "person", ...depth }, picture && avatar(person),
    h("span", { class: "names" },
      onRow ? h("button", { type: "button", data: { key: `row-${person.key}` }, onClick: () => onRow(person.key) }, person.name) : h("b", {}, person.name),
      person.note && h("small", {}, person.note)));
}

function cell(person, key, value, answer, most, onCell) {
  const metric = metricOf(key);
  const shown = text(value, key, answer);
  const share = bar(value, metric, most);
  const quiet = shown === DASH || value?.few_data ? "number quiet" : "number";
  const inside = [
    h("span", { class: quiet, title: value ? tooltip(value, metric, answer) : null }, shown),
    share === null ? null : h("span", { class: `meter thin ${value?.few_data ? "few" : ""}`, "aria-hidden": "true" }, h("i", { style: { width: `${share * 100}%` } })),
  ];
  if (shown === DASH || !onCell) return h("span", { class: "cell" }, inside);
  return h("button", { class: "cell", type: "button", "aria-label": `${person.name}, ${metric.name}: ${shown}`, data: { key: `cell-${person.key}-${key}` }, onClick: () => onCell(person.key, key) }, inside);
}

function text(value, key, answer) {
  return value ? short(value.value, metricOf(key).unit, style(answer)) : DASH;
}

function tooltip(value, metric, answer) {
  const whole = exact(value.value, metric.unit, style(answer));
  const fraction = kindOf(metric.unit) === "ratio" && value.denominator ? ` (${t("card.fraction", { a: value.numerator, b: value.denominator })})` : "";
  return `${whole}${fraction}${value.few_data ? ` · ${t("state.few")}` : ""}`;
}

function bar(value, metric, most) {
  if (!value || value.value === null) return null;
  if (kindOf(metric.unit) === "ratio") return Math.max(0, Math.min(1, Number(value.value)));
  return most > 0 ? Math.max(0, Number(value.value) / most) : 0;
}

function index(answer) {
  return new Map((answer?.values ?? []).map((value) => [value.metric, new Map((value.rows ?? []).map((row) => [row.key, row]))]));
}

function largest(rows, metric, people) {
  return Math.max(0, ...people.map(({ key }) => Number(rows.get(metric)?.get(key)?.value ?? 0)));
}

/** Groups in their order; people without any number last in theirs. */
function arranged(people, rows, sort, metrics) {
  const order = sort.down ? -1 : 1;
  const valueOf = (person) => (sort.by === "name" ? null : rows.get(sort.by)?.get(person.key)?.value ?? null);
  const compare = (a, b) => {
    if (sort.by === "name") return order * a.name.localeCompare(b.name, boot.lang);
    if (sort.by === "order") return a.order - b.order;
    const [x, y] = [valueOf(a), valueOf(b)];
    if (x === null || y === null) return (x === null) - (y === null) || a.name.localeCompare(b.name, boot.lang);
    return order * (Number(x) - Number(y)) || a.name.localeCompare(b.name, boot.lang);
  };
  const groups = new Map();
  for (const person of people) {
    const silent = !metrics.some((key) => Number(rows.get(key)?.get(person.key)?.value ?? 0));
    const group = person.group ?? (silent && sort.by !== "order" ? "silent" : "");
    groups.set(group, [...(groups.get(group) ?? []), person]);
  }
  const names = { "": null, silent: t("people.silent"), dismissed: t("people.dismissed") };
  return ["", "silent", "dismissed"].filter((group) => groups.has(group))
    .map((group) => ({ name: names[group], members: groups.get(group).sort(compare) }));
}

function narrowList(groups, rows, metrics, answer, { onRow, picture }) {
  return h("ul", { class: "list-rows" }, groups.flatMap(({ members }) => members).map((person) =>
    h("li", {}, label(person, onRow, picture),
      h("dl", {}, weakest(person, rows, metrics).map((key) =>
        [h("dt", {}, metricOf(key).name), h("dd", { class: "number" }, text(rows.get(key)?.get(person.key), key, answer))])))));
}

/** The KPIs in which the person stands lowest beside the others: those are worth the little room. */
function weakest(person, rows, metrics) {
  const place = (key) => {
    const own = rows.get(key)?.get(person.key)?.value;
    if (own === undefined || own === null) return 2;
    const all = [...(rows.get(key)?.values() ?? [])].map((row) => Number(row.value)).filter(Number.isFinite);
    return all.filter((other) => other < Number(own)).length / (all.length || 1);
  };
  const [first, ...others] = metrics;
  return [first, ...others.sort((a, b) => place(a) - place(b)).slice(0, WORST_SHOWN - 1)];
}
