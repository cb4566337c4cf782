/** The records behind a number: a table below the cards, or a full-width drawer on narrow screens. */

import { api, bridge, lang, metricOf, plural, style, t } from "./context.js";
import { ApiError } from "./api.js";
import { h, icon, replace } from "./dom.js";
import { DASH, duration, exact, kindOf, money, short } from "./format.js";
import { openDrawer, toast } from "./overlay.js";
import { addDays, days } from "./periods.js";
import { handOver } from "./period_bar.js";
import * as requests from "./requests.js";

const NARROW = "(max-width: 767px)";

const hiddenColumns = new Set();

/**
 * Show the records of a metric. `where` is the container for wide screens, `value` and `answer` the number
 * that they stand behind, `who` whose it is.
 */
export function openRecords({ metric: key, scope, range, value, answer, who, today, where, onClose }) {
  const view = { key, scope, range, value, answer, who, today, page: 1, sort: null, filter: "", body: null, error: null };
  const box = h("div", { class: "records" });
  const isNarrow = matchMedia(NARROW).matches;
  const opener = document.activeElement?.dataset.key;
  let close = () => {
    const hadFocus = where.contains(document.activeElement);
    replace(where);
    onClose?.();
    if (hadFocus && opener) document.querySelector(`[data-key="${CSS.escape(opener)}"]`)?.focus({ preventScroll: true });
  };
  if (isNarrow) close = openDrawer({ title: heading(view), body: box, className: "full" });
  else {
    replace(where, box);
    where.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  async function load() {
    draw(true);
    try {
      view.body = (await api.get(requests.records(key, scope, range, view.page))).body;
      view.error = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      view.error = error;
    }
    draw(false);
  }

  function draw(busy) {
    replace(box, panel(view, busy, { isNarrow, close, redraw: () => draw(false), turn: (page) => { view.page = page; void load(); }, retry: load }));
  }

  void load();
  if (!isNarrow) box.firstElementChild.focus({ preventScroll: true });
  return close;
}

function heading(view) {
  const metric = metricOf(view.key);
  const shown = view.value ? short(view.value.value, metric.unit, style(view.answer)) : DASH;
  return `${metric.name}: ${shown}`;
}

function panel(view, busy, act) {
  const columns = columnsOf(view).filter((column) => tells(column, view));
  const rows = arranged(view, columns);
  return h("section", { class: "panel", tabindex: "-1", "aria-busy": String(busy), "aria-label": heading(view), data: { key: "records-panel" } },
    h("div", { class: "panel-head" },
      act.isNarrow ? null : h("h2", {}, heading(view)),
      h("span", { class: "aside" }, [view.who, days(view.range, view.today, lang)].filter(Boolean).join(" · ")),
      h("input", { class: "field", type: "search", placeholder: t("records.filter"), "aria-label": t("records.filter"), value: view.filter, data: { key: "records-filter" },
        onInput: (event) => { view.filter = event.target.value; const at = event.target.selectionStart; act.redraw(); const again = document.querySelector('[data-key="records-filter"]'); again?.focus(); again?.setSelectionRange(at, at); } }),
      columnPicker(view, act),
      h("button", { class: "button icon", type: "button", title: t("records.csv"), "aria-label": t("records.csv"), data: { key: "records-csv" }, onClick: () => saveAll(view) }, icon("export")),
      act.isNarrow ? null : h("button", { class: "button icon", type: "button", "aria-label": t("action.close"), title: t("action.close"), data: { key: "records-close" }, onClick: act.close }, icon("close"))),
    content(view, columns, rows, busy, act),
    view.body && !view.error ? foot(view, act) : null);
}

function content(view, columns, rows, busy, act) {
  if (view.error) {
    const known = { 403: "state.hidden", 0: "error.http_0", 503: "error.http_503" }[view.error.status] ?? "error.other";
    return h("div", { class: "empty" }, h("p", {}, view.error.numbered(t(known))), h("button", { class: "button quiet", type: "button", onClick: act.retry }, t("action.retry")));
  }
  if (!view.body) return h("div", { class: "empty", role: "status" }, t("state.loading"));
  if (!rows.length) return h("p", { class: "empty" }, t(view.filter ? "records.nothing_found" : view.body.hidden ? "records.all_hidden" : "records.empty"));
  return h("div", { class: "table-box", tabindex: "0", role: "group", "aria-label": t("records.title"), data: { scroll: "records" }, style: { opacity: busy ? "0.5" : "1" } },
    h("table", { class: "table" },
      h("thead", {}, h("tr", {}, columns.filter(shownColumn).map((column, i) =>
        h("th", { scope: "col", class: `${i ? "" : "first"} ${column.start ? "start" : ""}`, "aria-sort": view.sort?.by === column.key ? (view.sort.down ? "descending" : "ascending") : null },
          h("button", { class: "sort", type: "button", data: { key: `records-sort-${column.key}` }, onClick: () => { view.sort = { by: column.key, down: view.sort?.by === column.key ? !view.sort.down : column.number ?? false }; act.redraw(); } }, column.title, icon("arrow")))))),
      h("tbody", {}, rows.map((row) => h("tr", {}, columns.filter(shownColumn).map((column, i) =>
        i === 0 ? h("th", { scope: "row", class: "first" }, link(row, column.text(row)))
          : h("td", { class: column.start ? "start" : "number" }, column.text(row) || DASH)))))));
}

function link(row, text) {
  if (!row.path) return text; // entered in the app: the portal has no page of it
  return h("div", { class: "person" }, h("button", { type: "button", data: { key: `record-${row.type}-${row.id}` }, onClick: () => bridge.open(row.path) }, text));
}

/** All columns that a page of records can have. */
function columnsOf(view) {
  const metric = metricOf(view.key);
  const amount = (row) => (row.amount === null ? "" : money(row.amount, row.currency, lang));
  return [
    { key: "title", title: t("records.column.title"), start: true, text: (row) => row.title || t(`records.untitled.${row.type}`, { id: row.id }) },
    { key: "client", title: t("records.column.client"), start: true, text: (row) => row.client?.name ?? "" },
    { key: "stage", title: t("records.column.stage"), start: true, text: (row) => row.stage?.name ?? "" },
    { key: "owner", title: t("records.column.owner"), start: true, text: (row) => row.owner?.name ?? "" },
    { key: "at", title: t("records.column.date"), text: (row) => dayOf(row.day, view.today), raw: (row) => row.at },
    { key: "amount", title: t("records.column.amount"), number: true, text: amount, raw: (row) => Number(row.amount ?? 0) },
    { key: "adds", title: t("records.column.adds"), number: true, text: (row) => contribution(row, metric, view.answer), raw: (row) => Number(row.adds ?? 0) },
  ];
}

/** Whether a column says anything on this page: something at all, a contribution something else than the amount. */
function tells(column, view) {
  const rows = view.body?.records ?? [];
  if (column.key === "title") return true;
  if (column.key !== "adds") return rows.some((row) => column.text(row));
  const amount = columnsOf(view).find(({ key }) => key === "amount");
  return rows.some((row) => column.text(row) && column.text(row) !== amount.text(row));
}

/** What one record adds: an amount, a duration, or on which side of a rate it stands. */
function contribution(row, metric, answer) {
  if (row.left_out) return t(`records.left_out.${row.left_out}`);
  if (kindOf(metric.unit) === "ratio") return t(row.counts ? "records.counts" : "records.only_below");
  if (row.adds === null) return "";
  return kindOf(metric.unit) === "duration" ? duration(row.adds, lang) : exact(row.adds, metric.unit, style(answer));
}

function arranged(view, columns) {
  const wanted = view.filter.trim().toLocaleLowerCase(lang);
  const rows = (view.body?.records ?? []).filter((row) => !wanted || columns.some((column) => column.text(row).toLocaleLowerCase(lang).includes(wanted)));
  const column = columns.find(({ key }) => key === view.sort?.by);
  if (!column) return rows;
  const raw = column.raw ?? column.text;
  const order = view.sort.down ? -1 : 1;
  return rows.sort((a, b) => {
    const [x, y] = [raw(a), raw(b)];
    return order * (typeof x === "number" ? x - y : String(x).localeCompare(String(y), lang));
  });
}

/** "Показано 46 из 48 на …; 2 записи скрыты правами CRM". */
function foot(view, act) {
  const { body } = view;
  const isMoney = kindOf(metricOf(view.key).unit) === "money";
  const whole = (amount) => money(amount, body.currency, lang);
  const said = [t(isMoney ? "records.shown_for" : "records.shown", { shown: body.shown, total: body.total, sum: isMoney ? whole(body.shown_sum) : "" })];
  if (body.hidden) {
    const tells = isMoney && body.hidden_sum !== null;
    said.push(plural(tells ? "records.hidden_for" : "records.hidden", body.hidden, { sum: tells ? whole(body.hidden_sum) : "" }));
  }
  return h("div", { class: "table-foot" }, h("p", { role: "status" }, said.join("; ")),
    body.pages > 1 && h("div", { class: "pager" },
      h("button", { class: "icon-button", type: "button", disabled: view.page <= 1, "aria-label": t("records.page_before"), data: { key: "page-before" }, onClick: () => act.turn(view.page - 1) }, icon("left")),
      h("span", { class: "number" }, t("records.page", { page: view.page, pages: body.pages })),
      h("button", { class: "icon-button", type: "button", disabled: view.page >= body.pages, "aria-label": t("records.page_after"), data: { key: "page-after" }, onClick: () => act.turn(view.page + 1) }, icon("right"))));
}

function columnPicker(view, act) {
  const columns = columnsOf(view).slice(1).filter((column) => tells(column, view));
  if (columns.length < 2) return null;
  return h("details", { class: "anchor picker", open: view.picking || null, onToggle: (event) => { view.picking = event.target.open; } },
    h("summary", { class: "button icon", title: t("records.columns"), "aria-label": t("records.columns") }, icon("columns")),
    h("div", { class: "popover menu" }, columns.map((column) =>
      h("label", {}, h("input", { type: "checkbox", checked: shownColumn(column), data: { key: `column-${column.key}` }, onChange: (event) => { hiddenColumns[event.target.checked ? "delete" : "add"](column.key); act.redraw(); } }), column.title))));
}

function shownColumn(column) {
  return !hiddenColumns.has(column.key);
}

const MOST_PAGES = 100;

/** All pages as one file; cells that a spreadsheet would take for a formula are quoted as text. */
async function saveAll(view) {
  const lines = [];
  try {
    for (let page = 1, pages = 1; page <= Math.min(pages, MOST_PAGES); page += 1) {
      const { body } = await api.get(requests.records(view.key, view.scope, view.range, page));
      pages = body.pages;
      const columns = columnsOf({ ...view, body });
      if (page === 1) lines.push(["ID", ...columns.map((column) => column.title), t("records.column.currency")]);
      for (const row of body.records) lines.push([row.id, ...columns.map((column) => plainCell(column, row)), row.currency ?? ""]);
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    await toast(t("error.export"));
    return;
  }
  handOver(new Blob(["\ufeff", lines.map((line) => line.map(quoted).join(";")).join("\r\n")], { type: "text/csv" }), `${view.key}.csv`);
}

function plainCell(column, row) {
  if (column.key === "amount") return row.amount ?? "";
  if (column.key === "at") return row.day;
  if (column.key === "adds") return row.adds ?? "";
  return column.text(row);
}

function quoted(cell) {
  const text = String(cell);
  const safe = /^[=+@\t\r-]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

function dayOf(day, today) {
  return day ? days({ from: day, to: addDays(day, 1) }, today, lang) : "";
}
