/** The plan editor: targets of people and departments by month, typed, pasted, copied or taken from history. */

import { api, bridge, boot, lang, metricOf, plural, t } from "../context.js";
import { ApiError } from "../api.js";
import { add, parseNumber, shift } from "../decimals.js";
import { h, icon, replace } from "../dom.js";
import { exact, kindOf, moment, money, short } from "../format.js";
import { makeGrid } from "../grid.js";
import { openDrawer, toast } from "../overlay.js";
import * as requests from "../requests.js";

const { layout } = boot;
const HOUR = 3600;

/**
 * Draw the editor into a container. `metric`, `scope` and `year` are what it is about, `choices` the metrics to
 * choose from; changes of these go to `onChoose`, leaving to `onClose`. Returns `leave()`: asks where something is not
 * saved, and tells whether the editor may go.
 */
export function showPlan(box, { metric: key, scope, scopeName, year, choices, onChoose, onClose }) {
  const metric = metricOf(key);
  const plan = { grid: null, pending: new Map(), trail: [], undo: null, busy: false };
  let sheet = null;
  const panel = h("section", { class: "panel plan", "aria-label": t("plan.title") });
  const parts = { head: h("div", { class: "panel-head" }), bar: h("div", { class: "plan-bar" }), note: h("div", { class: "plan-note", role: "status" }), body: h("div", { class: "plan-body" }), check: h("div", { class: "plan-check" }) };
  panel.append(...Object.values(parts));
  replace(box, panel);
  window.addEventListener("beforeunload", warn);
  void load();

  async function load() {
    try {
      plan.grid = (await api.fresh(requests.targets(key, scope, `${year}-01`, `${year + 1}-01`)));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      replace(parts.head, h("h2", {}, t("plan.title")), closeButton());
      return replace(parts.body, h("p", { class: "empty" }, error.status === 403 ? t("plan.not_yours") : error.numbered(t("error.other"))));
    }
    return build();
  }

  function build() {
    const { months, rows } = plan.grid;
    const thisMonth = layout.today.slice(0, 7);
    const lines = rows.map((row) => ({
      key: row.key, editable: row.may_edit, name: nameOf(row), className: [row.kind === "scope" ? "total" : "", row.active ? "" : "gone", row.may_edit ? "" : "locked"].join(" ").trim(), data: row,
      header: h("span", { class: "names" }, h("b", {}, nameOf(row)), note(row) && h("small", {}, note(row))),
    }));
    const columns = months.map((month) => ({ key: month, title: monthName(month), className: month === thisMonth ? "now" : month < thisMonth ? "past" : null }));
    if (metricAdds()) columns.push({ key: "total", title: t("plan.whole_year"), className: "sum" });
    sheet = makeGrid({
      label: t("plan.grid", { metric: metric.name }), corner: `${year}${unitHint()}`, columns, rows: lines,
      cell: (row, column) => cellOf(row, column), onEdit: edit, onUndo: takeBack, onSelect: drawBar,
    });
    const nowColumn = Math.max(0, months.indexOf(thisMonth));
    replace(parts.body, sheet.element);
    sheet.select(Math.min(rows.length - 1, rows.findIndex((row) => row.may_edit) < 0 ? 0 : rows.findIndex((row) => row.may_edit)), nowColumn);
    drawHead();
    drawBar();
    drawCheck();
    const column = sheet.element.querySelector(".now");
    if (column && sheet.element.scrollWidth > sheet.element.clientWidth) sheet.element.scrollLeft = column.offsetLeft - sheet.element.clientWidth / 2;
  }

  function drawHead() {
    replace(parts.head,
      h("h2", {}, t("plan.title"), h("span", { class: "aside" }, ` ${scopeName}`)),
      h("label", {}, h("span", { class: "hidden-text" }, t("trend.metric")),
        h("select", { class: "field", data: { key: "plan-metric" }, onChange: (event) => void choose({ plan: event.target.value }, event) },
          choices.map((choice) => h("option", { value: choice, selected: choice === key }, metricOf(choice).name)))),
      h("div", { class: "step" },
        h("button", { class: "icon-button", type: "button", "aria-label": t("plan.year_before"), data: { key: "plan-before" }, onClick: () => void choose({ year: year - 1 }) }, icon("left")),
        h("span", { class: "number" }, String(year)),
        h("button", { class: "icon-button", type: "button", "aria-label": t("plan.year_after"), data: { key: "plan-after" }, onClick: () => void choose({ year: year + 1 }) }, icon("right"))),
      h("button", { class: "button icon", type: "button", title: t("plan.history"), "aria-label": t("plan.history"), data: { key: "plan-history" }, onClick: history }, icon("history")),
      closeButton());
  }

  function closeButton() {
    return h("button", { class: "button icon", type: "button", title: t("action.close"), "aria-label": t("action.close"), data: { key: "plan-close" }, onClick: async () => (await leave()) && onClose() }, icon("close"));
  }

  function drawBar() {
    if (!sheet) return;
    const months = chosenMonths();
    const names = months.length ? `${monthName(months[0], true)}${months.length > 1 ? `–${monthName(months.at(-1), true)}` : ""}` : "";
    replace(parts.bar,
      plan.grid.rows.some((row) => row.may_edit) ? [
        h("span", { class: "aside" }, t("plan.for", { months: names })),
        h("button", { class: "button outlined small", type: "button", disabled: plan.busy || !months.length, data: { key: "plan-history-fill" }, onClick: () => void propose("history") }, icon("spark"), t("plan.suggest")),
        h("span", { class: "with-field" },
          h("button", { class: "button outlined small", type: "button", disabled: plan.busy || !months.length, data: { key: "plan-copy" }, onClick: () => void propose("copy") }, icon("copy"), t("plan.copy")),
          h("label", {}, "±", h("input", { class: "field", type: "text", inputmode: "decimal", size: "3", value: plan.percent ?? "0", "aria-label": t("plan.percent"), data: { key: "plan-percent" }, onInput: (event) => { plan.percent = event.target.value; } }), "%")),
        h("button", { class: "button outlined small", type: "button", data: { key: "plan-fill" }, onClick: fillRight }, icon("fill"), t("plan.fill")),
      ] : h("span", { class: "aside" }, t("plan.read_only")),
      h("span", { class: "spring" }),
      plan.trail.length ? h("button", { class: "button quiet small", type: "button", data: { key: "plan-undo" }, onClick: takeBack }, icon("undo"), t("plan.undo"))
        : plan.undo ? h("button", { class: "button quiet small", type: "button", disabled: plan.busy, data: { key: "plan-undo-saved" }, onClick: () => void save(plan.undo, true) }, icon("undo"), t("plan.undo_saved")) : null,
      plan.pending.size ? h("button", { class: "button quiet small", type: "button", data: { key: "plan-discard" }, onClick: discard }, t("plan.discard")) : null,
      plan.pending.size || plan.undo ? h("button", { class: `button primary small ${plan.busy ? "busy" : ""}`, type: "button", disabled: !plan.pending.size || plan.busy, data: { key: "plan-save" }, onClick: () => void save() }, plan.pending.size ? plural("plan.save", plan.pending.size) : t("plan.saved")) : null);
  }

  /** "Сумма сотрудников 4,8 млн / план отдела 5,0 млн: не распределено 200 тыс.", for the chosen month. */
  function drawCheck() {
    const month = chosenMonths()[0];
    if (!metricAdds() || !month || scope.startsWith("user:")) return replace(parts.check);
    const people = plan.grid.rows.filter((row) => row.kind === "user").map((row) => rawOf(row.key, month)).filter(Boolean);
    const own = rawOf(scope, month);
    const given = people.length ? add(...people) : "0";
    const show = (value) => short(value, metric.unit, how());
    if (!own && !people.length) return replace(parts.check, h("p", { class: "aside" }, t("plan.check_none", { month: monthName(month, true) })));
    if (!own) return replace(parts.check, h("p", {}, t("plan.check_people", { month: monthName(month, true), people: show(given) })));
    const rest = add(own, given.startsWith("-") ? given.slice(1) : `-${given}`);
    const key_ = rest === "0" ? "plan.check_even" : rest.startsWith("-") ? "plan.check_over" : "plan.check_rest";
    return replace(parts.check, h("p", { class: rest === "0" ? "good" : "warn" }, icon(rest === "0" ? "check" : "warn"),
      h("span", {}, t(key_, { month: monthName(month, true), people: show(given), own: show(own), rest: show(rest.replace("-", "")) }))));
  }

  function cellOf(row, column) {
    if (column.key === "total") {
      const all = plan.grid.months.map((month) => rawOf(row.key, month) || effective(row.data, month)).filter(Boolean);
      return { raw: all.length ? toText(add(...all)) : "", text: all.length ? short(add(...all), metric.unit, how()) : "", className: "sum" };
    }
    const stored = row.data.cells.find((one) => one.month === column.key);
    const raw = rawOf(row.key, column.key);
    const changed = plan.pending.has(`${row.key} ${column.key}`);
    const ghost = !raw && stored.effective !== null && !changed ? String(stored.effective) : null;
    const by = stored.set_at ? t("plan.set_by", { name: stored.set_by?.name || t("plan.program"), time: moment(stored.set_at, { lang, timezone: boot.portal.timezone, now: new Date() }) }) : "";
    return {
      raw: raw ? toText(raw) : "",
      text: raw ? shown(raw) : ghost ? shown(ghost) : "",
      className: [changed ? "changed" : "", ghost ? "ghost" : "", column.className ?? ""].filter(Boolean).join(" "),
      title: ghost ? t("plan.sum_of_people") : raw ? [exact(raw, metric.unit, how()), by].filter(Boolean).join(" · ") : "",
    };
  }

  function edit(changes) {
    const read = changes.filter(({ column }) => column.key !== "total").map(({ row, column, text }) => ({ key: row.key, month: column.key, value: fromText(text) }));
    const wrong = read.find(({ value }) => value === null);
    if (wrong || (read.length && read.some(({ value }) => value.startsWith("-")) && !mayBeNegative())) {
      say(t("plan.no_number"), "warn");
      return false;
    }
    put(read);
    return true;
  }

  function put(list) {
    const step = list.map(({ key: row, month }) => ({ row, month, held: plan.pending.get(`${row} ${month}`) }));
    for (const { key: row, month, value } of list) {
      const before = storedOf(row, month);
      if (value === before) plan.pending.delete(`${row} ${month}`);
      else plan.pending.set(`${row} ${month}`, { row, month, value, before });
    }
    if (step.length) plan.trail.push(step);
    plan.undo = null;
    say("");
    redraw();
  }

  function takeBack() {
    const step = plan.trail.pop();
    for (const { row, month, held } of step ?? []) held ? plan.pending.set(`${row} ${month}`, held) : plan.pending.delete(`${row} ${month}`);
    redraw();
  }

  function discard() {
    put([...plan.pending.values()].map(({ row, month, before }) => ({ key: row, month, value: before })));
  }

  function fillRight() {
    const lines = sheet.selection();
    const months = plan.grid.months;
    put(lines.flatMap((line) => {
      if (!line[0].row.editable || line[0].column.key === "total") return [];
      const value = rawOf(line[0].row.key, line[0].column.key) ?? "";
      const to = line.length > 1 ? months.indexOf(line.at(-1).column.key) : months.length - 1;
      return months.slice(months.indexOf(line[0].column.key) + 1, (to < 0 ? months.length - 1 : to) + 1).map((month) => ({ key: line[0].row.key, month, value }));
    }));
  }

  /** Values for the chosen months: the median of the last six, or the month before with some percent. */
  async function propose(way) {
    const rows = new Set(plan.grid.rows.filter((row) => row.may_edit).map((row) => row.key));
    const chosen = sheet.selection().map((line) => line[0].row.key);
    const wanted = chosen.length > 1 ? new Set(chosen.filter((row) => rows.has(row))) : rows;
    plan.busy = true;
    drawBar();
    const found = [];
    try {
      for (const month of chosenMonths()) {
        const body = await api.fresh(requests.proposals(key, scope, month, way, way === "copy" ? parseNumber(plan.percent ?? "0", lang) || "0" : null));
        for (const row of body.rows) if (wanted.has(row.key) && row.value !== null) found.push({ key: row.key, month, value: row.value });
      }
      if (found.length) put(found);
      say(found.length ? t(`plan.proposed_${way}`) : t("plan.nothing_to_propose"), found.length ? "" : "warn");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      say(error.detail || error.numbered(t("error.other")), "warn");
    }
    plan.busy = false;
    drawBar();
  }

  async function save(changes = null, isUndo = false) {
    sheet.commit();
    const list = changes ?? [...plan.pending.values()].map(({ row, month, value, before }) => ({ metric: key, scope: row, month, value: value || null, before: before || null }));
    plan.busy = true;
    drawBar();
    try {
      const answer = await api.post("/api/v1/targets/changes", { changes: list });
      plan.pending.clear();
      plan.trail = [];
      plan.undo = isUndo ? null : answer.undo;
      say(isUndo ? t("plan.undone") : "");
      await reload();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 409) conflict(error.body?.conflicts ?? []);
      else say(error.body?.errors?.map((one) => one.reason).join("; ") || error.detail || error.numbered(t("error.other")), "warn");
    }
    plan.busy = false;
    drawBar();
  }

  async function reload() {
    plan.grid = await api.fresh(requests.targets(key, scope, `${year}-01`, `${year + 1}-01`));
    build();
  }

  /** Somebody else has saved meanwhile: each of the cells stays theirs, or is written over on purpose. */
  function conflict(list) {
    const close = openDrawer({
      title: t("plan.conflict"),
      body: [h("p", {}, t("plan.conflict_text")),
        h("ul", { class: "plain" }, list.map((one) => h("li", {},
          h("span", { class: "name" }, h("b", {}, rowName(one.scope)), `, ${monthName(one.month, true)}`, h("br"), h("small", {}, one.set_by?.name ? t("plan.theirs_by", { name: one.set_by.name }) : t("plan.theirs"))),
          h("span", { class: "number" }, one.theirs === null ? "—" : shown(one.theirs), " / ", h("b", {}, one.value === null ? "—" : shown(one.value))))))],
      footer: [
        h("button", { class: "button primary", type: "button", onClick: () => { close(); void settle(list, false); } }, t("plan.keep_theirs")),
        h("button", { class: "button outlined", type: "button", onClick: () => { close(); void settle(list, true); } }, t("plan.keep_mine")),
      ],
    });
  }

  async function settle(list, mine) {
    for (const one of list) {
      const held = plan.pending.get(`${one.scope} ${one.month}`);
      if (!held) continue;
      if (mine) held.before = one.theirs ?? "";
      else plan.pending.delete(`${one.scope} ${one.month}`);
    }
    if (plan.pending.size) await save();
    else await reload();
  }

  async function history() {
    const box_ = h("div", { class: "group" }, h("p", { role: "status" }, t("state.loading")));
    openDrawer({ title: t("plan.history"), body: box_ });
    try {
      const body = await api.fresh(requests.targetHistory(key, scope));
      replace(box_, body.changes.length ? h("ul", { class: "plain" }, body.changes.map((one) => h("li", {},
        h("span", { class: "name" }, h("b", {}, rowName(one.scope)), `, ${monthName(one.month, true)}`, h("br"),
          h("small", {}, [one.by?.name || t("plan.program"), moment(one.at, { lang, timezone: boot.portal.timezone, now: new Date() })].join(" · "))),
        h("span", { class: "number" }, one.before === null ? "—" : shown(one.before), " → ", h("b", {}, one.after === null ? "—" : shown(one.after))))))
        : h("p", { class: "empty" }, t("plan.no_history")));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      replace(box_, h("p", {}, error.numbered(t("error.other"))));
    }
  }

  async function choose(change, event = null) {
    if (await leave()) return onChoose(change);
    if (event) event.target.value = key;
    return undefined;
  }

  /** True if the editor may go: nothing unsaved, or the viewer gives it up. */
  function leave() {
    sheet?.commit();
    if (!plan.pending.size) return finish();
    return new Promise((resolve) => {
      let answer = false;
      const close = openDrawer({
        title: t("plan.unsaved"), body: [h("p", {}, plural("plan.unsaved_text", plan.pending.size))], onClose: () => resolve(answer && finish()),
        footer: [h("button", { class: "button primary", type: "button", onClick: () => close() }, t("plan.stay")),
          h("button", { class: "button outlined", type: "button", onClick: () => { answer = true; close(); } }, t("plan.give_up"))],
      });
    });
  }

  function finish() {
    plan.pending.clear();
    window.removeEventListener("beforeunload", warn);
    return true;
  }

  function warn(event) {
    if (plan.pending.size) event.preventDefault();
  }

  function redraw() {
    sheet.refresh();
    drawBar();
    drawCheck();
    void bridge.fit();
  }

  function say(text, tone = "") {
    replace(parts.note, text && h("p", { class: tone }, text));
    if (tone === "warn" && text) void toast(text);
  }

  function chosenMonths() {
    const found = sheet.selection()[0].map(({ column }) => column.key).filter((month) => month !== "total");
    drawCheckFor(found[0]);
    return found;
  }

  function drawCheckFor(month) {
    if (plan.checked === month) return;
    plan.checked = month;
    queueMicrotask(drawCheck);
  }

  function rawOf(row, month) {
    const held = plan.pending.get(`${row} ${month}`);
    return held ? held.value : storedOf(row, month);
  }

  function storedOf(row, month) {
    return plan.grid.rows.find((one) => one.key === row)?.cells.find((one) => one.month === month)?.value ?? "";
  }

  function effective(row, month) {
    const value = row.cells.find((one) => one.month === month)?.effective;
    return value === null || value === undefined ? "" : String(value);
  }

  function rowName(key_) {
    const row = plan.grid.rows.find((one) => one.key === key_);
    return row ? nameOf(row) : key_;
  }

  function nameOf(row) {
    return row.kind === "scope" ? row.name || (row.key === "company" ? t("page.company") : scopeName) : row.name;
  }

  function note(row) {
    if (row.kind === "scope") return t("plan.whole_scope");
    if (row.kind === "department") return t("plan.department");
    return row.active ? row.position : t("people.dismissed");
  }

  function metricAdds() {
    return plan.grid.adds_up;
  }

  function mayBeNegative() {
    return ["budget_deviation", "channel_roi"].includes(key);
  }

  function unitHint() {
    const kind = kindOf(metric.unit);
    return kind === "ratio" ? ", %" : kind === "duration" ? `, ${t("plan.hours")}` : kind === "money" && plan.grid.currency ? `, ${plan.grid.currency}` : "";
  }

  function how() {
    return { lang, currency: plan.grid.currency };
  }

  /** What a cell shows: the whole number, grouped, without the unit that stands in the corner. */
  function shown(raw) {
    return kindOf(metric.unit) === "money" ? money(raw, null, lang) : new Intl.NumberFormat(lang, { maximumFractionDigits: 4 }).format(toPlain(raw));
  }

  function toPlain(raw) {
    const kind = kindOf(metric.unit);
    if (kind === "ratio") return shift(raw, 2);
    return kind === "duration" ? String(Math.round((Number(raw) / HOUR) * 10000) / 10000) : raw;
  }

  function toText(raw) {
    return toPlain(raw).replace(".", lang === "ru" ? "," : ".");
  }

  function fromText(text) {
    const number = parseNumber(text, lang);
    if (!number) return number;
    const kind = kindOf(metric.unit);
    if (kind === "ratio") return shift(number, -2);
    return kind === "duration" ? String(Math.round(Number(number) * HOUR)) : number;
  }

  return { leave };
}

function monthName(month, whole = false) {
  const name = new Intl.DateTimeFormat(lang, { month: whole ? "long" : "short", timeZone: "UTC" }).format(new Date(`${month}-01T00:00:00Z`));
  return whole ? name : name.replace(".", "");
}
