/** The page of a department (or the company) and of an employee: one screen, the scope decides what it shows. */

import { api, boot, lang, metricOf, plural, style, t } from "../context.js";
import { asOf, card, skeleton } from "../card.js";
import { h, icon } from "../dom.js";
import { explain } from "../explain.js";
import { funnelPanel } from "../funnel.js";
import { needsSync, notices } from "../notices.js";
import { avatar, peopleTable } from "../people.js";
import { compareControl, exportControl, periodControls, printControl, themeControl } from "../period_bar.js";
import * as periods from "../periods.js";
import { openRecords } from "../records.js";
import * as requests from "../requests.js";
import { isSlow, memo, screen } from "../screen.js";
import { writeState } from "../state.js";
import { pointsOf, trendPanel } from "../trend.js";
import { age } from "../value_state.js";
import { verdict } from "../verdict.js";

const { layout } = boot;

/** Draw the page and keep it up to date. `state` are the viewer's choices (state.js). */
export function showPage(root, state) {
  const home = state.scope;
  const ui = { more: false, pipeline: null, sort: { by: layout.cards[0], down: true }, departments: { by: "order", down: false }, records: null, theme: 0 };
  const box = Object.fromEntries(["bar", "notices", "verdict", "cards", "records", "charts", "people", "departments"].map((name) => [name, h("div", { class: `block-${name}` })]));
  root.replaceChildren(...Object.values(box));
  const page = screen({ needs, draw });
  let last = {};

  function needs() {
    const { scope, choice, compare } = state;
    const query = periods.query(choice, layout.today);
    const compared = compare === "none" ? null : compare;
    const wanted = { now: requests.kpi(layout.cards, scope, query, { compare: compared, by: isTeam(scope) ? "user" : null }) };
    wanted.org = requests.org;
    wanted.series = requests.series(layout.cards, scope, periods.trend(choice, layout.today));
    if (layout.funnel) wanted.funnel = requests.kpi(["funnel"], scope, query, { by: "stage" });
    if (ui.more && layout.more.length) wanted.more = requests.kpi(layout.more, scope, query, { compare: compared });
    if (ui.more && layout.more.length) wanted.moreSeries = requests.series(layout.more, scope, periods.trend(choice, layout.today));
    if (isTeam(scope) && hasTeams(last.org?.body, scope)) wanted.departments = requests.kpi(layout.cards, scope, query, { by: "department" });
    if (needsSync(last.now?.body, age(last.now?.body?.as_of, new Date())) || last.now?.error) wanted.sync = requests.sync;
    return wanted;
  }

  function choose(change) {
    Object.assign(state, change);
    closeRecords();
    history.replaceState(null, "", writeState(state));
    void page.refresh();
  }

  function draw(held) {
    last = held;
    const answer = held.now?.body ?? null;
    if (answer?.today > layout.today) newDay(answer.today);
    const stale = held.now?.busy ?? false;
    const org = held.org?.body ?? null;
    for (const name of ["cards", "charts", "people", "departments"]) box[name].classList.toggle("stale", stale && Boolean(answer));
    memo(box.bar, [JSON.stringify(state), org, answer?.as_of && true], () => bar(org, answer));
    memo(box.notices, [answer, held.now?.error, held.sync?.body, api.isExpired(), isSlow(held.now)], () => [
      ...notices({ answer, error: held.now?.error, sync: held.sync?.body, onRetry: page.retry }),
      isSlow(held.now) ? h("p", { class: "aside", role: "status" }, t("state.counting")) : null,
    ]);
    memo(box.verdict, [answer], () => (answer && isTeam(state.scope) ? sentence(answer) : []));
    memo(box.cards, [answer, held.series?.body, held.more?.body, held.moreSeries?.body, held.now?.error, ui.more, ui.records?.metric, state.trend], () => cardsOf(held));
    memo(box.charts, [answer && !stale ? held.series?.body : null, !answer && held.now?.error, held.funnel?.body, held.moreSeries?.body, state.trend, ui.pipeline, ui.theme], () => (held.now?.error && !answer ? [] : charts(held)));
    memo(box.people, [answer, org, ui.sort], () => (isTeam(state.scope) && answer && org ? people(answer, org) : []));
    memo(box.departments, [held.departments?.body, org, ui.departments], () => (isTeam(state.scope) && held.departments?.body && org ? departments(held.departments.body, org) : []));
    if (org && !held.departments && isTeam(state.scope) && hasTeams(org, state.scope)) queueMicrotask(() => void page.refresh());
    if (!held.sync && needs().sync) queueMicrotask(() => void page.refresh());
  }

  function bar(org, answer) {
    return h("header", { class: "bar" },
      isTeam(state.scope) ? departmentPicker(org) : person(org),
      h("span", { class: "spring" }),
      periodControls(state.choice, layout.today, (choice) => choose({ choice })),
      compareControl(state.compare, (compare) => choose({ compare })),
      h("span", { class: "tools" },
        exportControl((format) => requests.exported(format, [...layout.cards, ...layout.more], state.scope, periods.query(state.choice, layout.today), { compare: state.compare === "none" ? null : state.compare })),
        printControl(), themeControl()),
      answer && asOf(answer));
  }

  function person(org) {
    const id = Number(state.scope.split(":")[1]) || boot.viewer.id;
    const found = org?.employees.find((one) => one.id === id) ?? (id === boot.viewer.id ? { name: boot.viewer.name } : { name: "" });
    return h("div", { class: "who" },
      home !== state.scope && h("button", { class: "button icon", type: "button", "aria-label": t("action.back"), title: t("action.back"), data: { key: "back" }, onClick: () => choose({ scope: home }) }, icon("left")),
      avatar({ name: found.name || "?", photo: found.photo }, true),
      h("div", {}, h("h1", {}, found.name), h("p", {}, [found.position, ...(found.departments ?? [])].filter(Boolean).join(" · ") || "\u00a0")));
  }

  function departmentPicker(org) {
    const options = (org?.departments ?? []).map(({ id, name, depth }) => ({ value: `department:${id}`, name: `${"\u2003".repeat(depth)}${name}` }));
    if (org?.sees_company) options.unshift({ value: "company", name: t("page.company") });
    const current = options.find(({ value }) => value === state.scope);
    if (!current) options.unshift({ value: state.scope, name: state.scope === "company" ? t("page.company") : "…" });
    return h("h1", { class: "pick" }, h("span", { class: "hidden-text" }, t("page.department")),
      h("select", { class: "field department", "aria-label": t("page.department"), data: { key: "department" }, onChange: (event) => choose({ scope: event.target.value }) },
        options.map(({ value, name }) => h("option", { value, selected: value === state.scope }, name))));
  }

  function sentence(answer) {
    const values = Object.fromEntries(answer.values.map((value) => [value.metric, value]));
    const text = verdict(values, { run: periods.elapsed(answer, layout.today), basis: basisShort(answer), unit: metricOf("revenue").unit, how: style(answer) });
    return text ? h("p", { class: "verdict" }, text) : [];
  }

  function cardsOf(held) {
    return [h("h2", { class: "hidden-text" }, t("page.cards")), cardGrid(held)];
  }

  function cardGrid(held) {
    if (!held.now?.body) {
      if (held.now?.error) return h("div", { class: "cards" }, layout.cards.map((key) => oneCard(key, { values: [], scope: state.scope, ...periods.range(state.choice, layout.today) }, null, held)));
      return h("div", { class: "cards" }, layout.cards.map(() => skeleton()));
    }
    const shown = layout.cards.map((key) => oneCard(key, held.now.body, held.series?.body, held));
    if (!layout.more.length) return h("div", { class: "cards" }, shown);
    if (ui.more) shown.push(...layout.more.map((key) => (held.more?.body ? oneCard(key, held.more.body, held.moreSeries?.body, held) : skeleton())));
    shown.push(h("button", { class: "card more", type: "button", "aria-expanded": String(ui.more), data: { key: "more" }, onClick: () => { ui.more = !ui.more; void page.refresh(); } },
      ui.more ? t("card.less") : plural("card.more", layout.more.length)));
    return h("div", { class: "cards" }, shown);
  }

  function oneCard(key, answer, series, held) {
    const metric = metricOf(key);
    const value = answer.values.find((one) => one.metric === key) ?? { error: held.now?.error ?? { status: 0 } };
    const pieces = periods.trend(state.choice, layout.today);
    const trend = series?.values.find((one) => one.metric === key);
    const show = () => records(key, state.scope, value, answer);
    return card({
      metric, value, answer, basis: basis(answer), grain: pieces.by,
      points: trend ? pointsOf(trend, periods.pieceKeys(pieces)) : null,
      running: pieces.to > layout.today, current: ui.records?.metric === key && ui.records.scope === state.scope,
      onOpen: show, onExplain: () => explain({ metric, value, answer, onRecords: (value.value ?? null) === null ? null : show }),
    });
  }

  function charts(held) {
    const pieces = periods.trend(state.choice, layout.today);
    const chosen = state.trend && metricOf(state.trend).name !== state.trend ? state.trend : layout.cards[0];
    const isMore = layout.more.includes(chosen);
    return h("div", { class: layout.funnel ? "two" : "one" },
      trendPanel({
        metric: chosen, pieces, answer: (isMore ? held.moreSeries : held.series)?.body ?? null, running: pieces.to > layout.today,
        choices: [...layout.cards, ...layout.more.filter((key) => ui.more || key === chosen)].filter((key) => !metricOf(key).is_snapshot),
        onMetric: (trend) => choose({ trend }), redraw: () => { ui.theme += 1; draw(last); },
      }),
      layout.funnel && funnelPanel({ answer: held.funnel?.body, chosen: ui.pipeline, onPipeline: (id) => { ui.pipeline = id; draw(last); } }));
  }

  function people(answer, org) {
    const inside = membersOf(org, state.scope);
    const withRows = new Set(answer.values.flatMap((value) => (value.rows ?? []).map((row) => row.key)));
    const list = org.employees.filter((one) => (one.active ? inside(one) : withRows.has(`user:${one.id}`)) || withRows.has(`user:${one.id}`))
      .map((one) => ({ key: `user:${one.id}`, name: one.name, note: one.position, photo: one.photo, group: one.active ? null : "dismissed" }));
    return peopleTable({
      title: t("people.title"), caption: plural("people.count", list.length), people: list, answer, metrics: layout.cards, sort: ui.sort,
      onSort: (by) => { ui.sort = resorted(ui.sort, by); draw(last); },
      onRow: (scope) => { choose({ scope }); root.scrollIntoView({ block: "start" }); },
      onCell: (scope, key) => records(key, scope, answer.values.find((one) => one.metric === key)?.rows?.find((row) => row.key === scope), answer, list.find((one) => one.key === scope)?.name),
    });
  }

  function departments(answer, org) {
    const list = org.departments.filter(({ id }) => answer.values.some((value) => value.rows?.some((row) => row.key === `department:${id}`)) && `department:${id}` !== state.scope)
      .map((one, order) => ({ key: one.scope, name: one.name, note: plural("people.count", one.people), order, depth: ui.departments.by === "order" ? Math.max(0, one.depth - depthOf(org, state.scope) - 1) : 0 }));
    if (!list.length) return [];
    return peopleTable({
      title: t("page.departments"), people: list, answer, metrics: layout.cards, sort: ui.departments, picture: false,
      onSort: (by) => { ui.departments = resorted(ui.departments, by); draw(last); },
      onRow: (scope) => { choose({ scope }); root.scrollIntoView({ block: "start" }); },
      onCell: (scope, key) => records(key, scope, answer.values.find((one) => one.metric === key)?.rows?.find((row) => row.key === scope), answer, list.find((one) => one.key === scope)?.name),
    });
  }

  function records(metric, scope, value, answer, who = null) {
    closeRecords();
    ui.records = { metric, scope };
    ui.records.close = openRecords({
      metric, scope, value, answer, who, today: layout.today, range: { from: answer.from, to: answer.to }, where: box.records,
      onClose: () => { ui.records = null; draw(last); },
    });
    draw(last);
  }

  function closeRecords() {
    const open = ui.records;
    ui.records = null;
    open?.close();
  }

  function basis(answer) {
    const range = compared(answer);
    return range ? t("delta.basis", { period: periods.days(range, layout.today, lang) }) : "";
  }

  function basisShort(answer) {
    const range = compared(answer);
    return range ? periods.days(range, layout.today, lang) : "";
  }

  document.addEventListener("theme-changed", () => { ui.theme += 1; draw(last); });
  /** Midnight has passed on the portal while the page was open. */
  function newDay(today) {
    layout.today = today;
    queueMicrotask(() => void page.refresh());
  }

  void page.refresh();
}

/** What an answer was compared with, as the server says. */
function compared(answer) {
  return answer.compared ?? null;
}

function isTeam(scope) {
  return scope === "company" || scope.startsWith("department:");
}

function hasTeams(org, scope) {
  if (!org) return false;
  if (scope === "company") return org.departments.length > 0;
  return org.departments.some((one) => `department:${one.parent_id}` === scope);
}

function depthOf(org, scope) {
  return org.departments.find((one) => one.scope === scope)?.depth ?? -1;
}

/** Whether an employee stands in the scope: in the department or under it. */
function membersOf(org, scope) {
  if (scope === "company") return () => true;
  const inside = new Set([Number(scope.split(":")[1])]);
  for (const { id, parent_id: parent } of org.departments) if (inside.has(parent)) inside.add(id);
  return (one) => one.department_ids.some((id) => inside.has(id));
}

function resorted(sort, by) {
  return { by, down: sort.by === by ? !sort.down : by !== "name" };
}
