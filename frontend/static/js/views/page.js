/** The page of a department (or the company) and of an employee: one screen, the scope decides what it shows. */

import { api, boot, metricOf, style, t } from "../context.js";
import { asOf } from "../card.js";
import { h, icon } from "../dom.js";
import { copyLink } from "../act.js";
import { exampleAnswers, hasNoNumberYet } from "../example.js";
import { cardBlocks } from "../cards.js";
import { funnelPanel } from "../funnel.js";
import { needsSync, notices } from "../notices.js";
import { avatar, isNarrow, onShape, peopleTable } from "../people.js";
import { compareControl, exportControl, periodControls, themeControl } from "../period_bar.js";
import * as periods from "../periods.js";
import { notesPanel, personNeeds, standingPanels, todayPanel } from "../person.js";
import { openRecords } from "../records.js";
import * as requests from "../requests.js";
import { isSlow, memo, screen } from "../screen.js";
import { sheetOf } from "./sheet.js";
import { writeState } from "../state.js";
import { showPlan } from "./plan.js";
import { awayText, departmentsTable, hasTeams, isTeam, nameOf, peopleIn, teamTable } from "../team.js";
import { trendPanel } from "../trend.js";
import { endTour, offerTour, startTour } from "../tour.js";
import { tvScreen } from "./tv.js";
import { age } from "../value_state.js";
import { verdict } from "../verdict.js";
import { mainDriver, whyPanel } from "../why.js";

const { layout } = boot;
const SELLING = ["sales", "marketing"]; // groups of the catalogue
const BLOCKS = ["bar", "notices", "verdict", "today", "cards", "records", "plan", "why", "charts", "people", "departments", "standing", "notes", "screen"];

/** Draw the page and keep it up to date. `state` are the viewer's choices (state.js). */
export function showPage(root, state) {
  const home = layout.scope ?? state.scope;
  const ui = { records: null, theme: 0, shape: isNarrow(), editor: null, people: { filter: "", all: false, chosen: new Set() }, departments: { sort: { by: "order", down: false } } };
  const box = Object.fromEntries(BLOCKS.map((name) => [name, h("div", { class: `block-${name}` })]));
  root.replaceChildren(...Object.values(box));
  const page = screen({ needs, draw });
  let last = {};

  function needs() {
    const { scope, choice, compare } = state;
    const query = periods.query(choice, layout.today);
    const compared = compare === "none" ? null : compare;
    const pieces = periods.trend(choice, layout.today);
    const team = isTeam(scope);
    const { cards, more } = chosen();
    const people = team ? splittable(cards, "user") : [];
    const isWhole = people.length === cards.length; // then one answer has the totals and the people
    if (state.view === "setup" && boot.viewer.is_admin) return { sync: requests.sync };
    const wanted = { now: requests.kpi(cards, scope, query, { compare: compared, by: team && isWhole ? "user" : null }) };
    wanted.org = requests.org;
    wanted.set = requests.appliedSet(scope, setDay());
    if (team && !isWhole && people.length) wanted.people = requests.kpi(people, scope, query, { compare: compared, by: "user" });
    if (state.view === "plan") return wanted;
    if (team && !layout.is_fixed) wanted.why = requests.why(scope, query, compared ?? "previous");
    if (state.view === "tv") return wanted;
    const dated = splittable(cards, pieces.by);
    if (dated.length) wanted.series = requests.series(dated, scope, pieces);
    if (!team) Object.assign(wanted, personNeeds({ scope: scopeOf(), query, rankBy: rankMetric(), isOwn: isOwn() }));
    if (state.view === "sheet") return wanted;
    if (layout.funnel && sells()) wanted.funnel = requests.kpi(["funnel"], scope, query, { by: "stage" });
    if (state.more && more.length) wanted.more = requests.kpi(more, scope, query, { compare: compared });
    const moreDated = splittable(more, pieces.by);
    if (moreDated.length && (state.more || moreDated.includes(trendMetric()))) wanted.moreSeries = requests.series(state.more ? moreDated : [trendMetric()], scope, pieces);
    const departments = team && hasTeams(last.org?.body, scope) ? splittable(cards, "department") : [];
    if (departments.length) wanted.departments = requests.kpi(departments, scope, query, { by: "department" });
    if (team && sells() && last.why?.body?.change) wanted.moved = requests.moved(scope, query, compared ?? "previous");
    if (pieces.by === "month" && trendMetric()) wanted.steps = requests.targets(trendMetric(), scopeOf(), pieces.from.slice(0, 7), pieces.to.slice(0, 7));
    if (needsSync(last.now?.body, age(last.now?.body?.as_of, new Date())) || last.now?.error) wanted.sync = requests.sync;
    return wanted;
  }

  /** The cards of the scope: those of its KPI set, and what else there is. Until the set is known, those it came with. */
  function chosen() {
    const body = last.set?.body;
    if (layout.is_fixed) return layout;
    if (!body || body.scope !== scopeOf()) return ui.cards ?? layout;
    const known = [...layout.cards, ...layout.more];
    const cards = body.set.metrics.map((one) => one.metric).filter((key) => known.includes(key));
    if (!cards.length) return layout;
    if (ui.cards?.cards.join() !== cards.join()) ui.cards = { cards, more: known.filter((key) => !cards.includes(key)) };
    return ui.cards;
  }

  /** The day whose set counts: today, or the last one of a period that is over. */
  function setDay() {
    const { to } = periods.range(state.choice, layout.today);
    const over = periods.addDays(to, -1);
    return over < layout.today ? over : layout.today;
  }

  /** Those of the metrics that can be split so. */
  function splittable(keys, by) {
    return keys.filter((key) => metricOf(key).dimensions?.includes(by) ?? true);
  }

  async function choose(change) {
    if (ui.editor && !(await ui.editor.leave())) return draw(last);
    ui.editor = null;
    const elsewhere = change.scope !== undefined && change.scope !== state.scope;
    if (elsewhere) Object.assign(ui.people, { filter: "", all: false, chosen: new Set() });
    Object.assign(state, change);
    if (!("open" in change)) closeRecords();
    keepAddress();
    void page.refresh();
    if (elsewhere) root.scrollIntoView({ block: "start" });
    return undefined;
  }

  function keepAddress() {
    history.replaceState(null, "", writeState(state));
  }

  function draw(held) {
    last = held;
    const answer = held.now?.body ?? null;
    if (answer?.today > layout.today) newDay(answer.today);
    const org = held.org?.body ?? null;
    document.body.classList.toggle("is-tv", state.view === "tv" && Boolean(answer));
    if (state.view) endTour();
    if (state.view === "setup" && boot.viewer.is_admin) return drawSetup();
    if (state.view && answer && org) {
      drawView(answer, org, held);
    } else {
      ui.editor = null;
      memo(box.screen, [], () => []);
      memo(box.plan, [], () => []);
      drawBlocks(answer, org, held);
    }
    if (Object.entries(needs()).some(([name, path]) => held[name]?.path !== path)) queueMicrotask(() => void page.refresh());
  }

  /** The setup takes the place of everything; its modules come only to those who open it. */
  function drawSetup() {
    for (const name of BLOCKS) if (name !== "screen") memo(box[name], [], () => []);
    ui.editor = null;
    memo(box.screen, ["setup", state.tab], () => h("div", { class: "admin" }));
    const place = box.screen.firstElementChild;
    if (!place || place.dataset.tab === (state.tab ?? "")) return;
    place.dataset.tab = state.tab ?? "";
    void import("../admin/index.js").then(({ showAdmin }) => showAdmin(place, {
      tab: state.tab, onTab: (tab) => void choose({ tab }), onPlan: () => void choose({ view: "plan", tab: null }), onClose: () => void choose({ view: null, tab: null }),
    }));
  }

  /** Another way to look at the same: the plan grid, the screen on the wall, the sheet of the one-to-one. */
  function drawView(answer, org, held) {
    const isPlan = state.view === "plan";
    for (const name of BLOCKS) if (!["screen", "plan", ...(isPlan ? ["bar", "notices"] : [])].includes(name)) memo(box[name], [], () => []);
    if (isPlan) {
      memo(box.screen, [], () => []);
      memo(box.bar, ["plan", state.scope, org], () => bar(org, { isPlan: true }));
      if (!ui.editor) {
        box.plan.dependencies = null;
        ui.editor = showPlan(box.plan, {
          metric: planMetric(), scope: scopeOf(), scopeName: nameOf(org, state.scope), year: state.year ?? Number(layout.today.slice(0, 4)), choices: plannable(),
          onChoose: choose, onClose: () => void choose({ view: null, plan: null, year: null }),
        });
      }
      return;
    }
    memo(box.plan, [], () => []);
    const close = () => void choose({ view: null });
    if (state.view === "tv") {
      memo(box.screen, ["tv", answer, org, held.why?.body, held.people?.body, state.choice, ui.theme], () => tvScreen({
        answer, metrics: chosen().cards, name: nameOf(org, state.scope), choice: state.choice, verdict: sentence(answer, held.why?.body), people: peopleIn(org, state.scope, rowsOf(held)), onClose: close,
      }));
    } else {
      memo(box.screen, ["sheet", answer, org, held.series?.body, held.notes?.body], () => sheetOf({
        answer, series: held.series?.body, pieces: periods.trend(state.choice, layout.today), metrics: chosen().cards, person: personOf(org), choice: state.choice, notes: held.notes?.body, basis: basis(answer), onClose: close,
      }));
    }
  }

  function drawBlocks(answer, org, held) {
    const isExample = hasNoNumberYet(answer);
    root.classList.toggle("is-example", isExample);
    if (isExample) return drawExample(answer, org, held);
    const team = isTeam(state.scope);
    const { cards } = chosen();
    const rows = team ? rowsOf(held) : null;
    const stale = held.now?.busy ?? false;
    const error = held.now?.error;
    for (const name of ["cards", "why", "charts", "people", "departments"]) box[name].classList.toggle("stale", stale && Boolean(answer));
    memo(box.bar, [JSON.stringify({ ...state, open: null }), org], () => bar(org));
    memo(box.notices, [answer, error, held.sync?.body, api.isExpired(), isSlow(held.now)], () => [
      ...notices({ answer, error, sync: held.sync?.body, onRetry: page.retry }),
      isSlow(held.now) ? h("p", { class: "aside", role: "status" }, t("state.counting")) : null,
    ]);
    memo(box.verdict, [answer, held.why?.body], () => {
      const said = answer && team ? sentence(answer, held.why?.body) : "";
      return answer ? [said && h("p", { class: "verdict" }, said), asOf(answer)] : [];
    });
    memo(box.cards, [answer, held.series?.body, held.more?.body, held.moreSeries?.body, error, state.more, state.open?.metric, state.trend, ui.cards], () => cardBlocks({
      held, state, layout: chosen(), today: layout.today, isGrouped: !team, basis: answer ? basis(answer) : "", canPlan: mayPlan(),
      onOpen: (key, value, from) => records(key, state.scope, value, from), onMore: () => void choose({ more: !state.more }), onPlan: (key) => void choose({ view: "plan", plan: key }),
    }));
    memo(box.why, [held.why?.body, held.moved?.body, held.moved?.error, state.scope], () => (team && sells() && hasMoved(held.why?.body) ? whyPanel({
      why: held.why.body, moved: held.moved?.body ?? null, error: held.moved?.error, basis: basis(held.why.body), onPerson: (scope) => void choose({ scope }), onRetry: page.retry,
    }) : []));
    memo(box.charts, [answer && !stale ? held.series?.body : null, !answer && error, held.funnel?.body, held.moreSeries?.body, held.steps?.body, state.trend, state.pipeline, ui.theme], () => (error && !answer ? [] : charts(held)));
    memo(box.people, [rows, org, state.sort, ui.people.version, ui.shape], () => (rows && org ? teamTable({
      org, scope: state.scope, answer: rows, metrics: splittable(cards, "user"), view: { ...ui.people, sort: state.sort ?? { by: "attention", down: false } },
      onView: ({ sort, ...rest }) => { Object.assign(ui.people, rest, { version: (ui.people.version ?? 0) + 1 }); if (sort) state.sort = sort; keepAddress(); draw(last); },
      onRow: (scope) => void choose({ scope }), onCell: openRow(rows, org),
    }) : []));
    memo(box.departments, [team && held.departments?.body, org, ui.departments.sort, ui.shape], () => (team && held.departments?.body && org ? departmentsTable({
      org, scope: state.scope, answer: held.departments.body, metrics: splittable(cards, "department"), view: ui.departments,
      onView: ({ sort }) => { if (sort) ui.departments.sort = sort; draw(last); }, onRow: (scope) => void choose({ scope }), onCell: openRow(held.departments.body, org),
    }) : []));
    memo(box.today, [isOwn() && answer, held.today?.body, cards], () => (isOwn() && !team && answer ? todayPanel({ today: held.today?.body ?? null, answer, metrics: cards, onRecords: (key, value, from) => records(key, state.scope, value, from) }) : []));
    memo(box.standing, [!team && answer, held.score?.body, held.rank?.body], () => (!team && answer && (held.score?.body || held.rank?.body) ? standingPanels({ score: held.score?.body, rank: held.rank?.body, answer }) : []));
    memo(box.notes, [!team && held.notes?.body, setDay()], () => (!team && held.notes?.body ? notesPanel({ notes: held.notes.body, month: setDay().slice(0, 7), onChanged: page.retry }) : []));
    if (state.open && !ui.records && answer) reopen(answer, held, org);
    if (!state.open && !held.now?.busy && answer?.values.some((one) => one.value !== null)) void offerTour();
  }

  /** Until the first real number is there: the same screen with invented ones, and said to be so. */
  function drawExample(answer, org, held) {
    const { cards } = chosen();
    const team = isTeam(state.scope);
    const pieces = periods.trend(state.choice, layout.today);
    const metrics = cards.map(metricOf);
    const names = team ? t("example.people").split("|") : null;
    const shown = exampleAnswers({ answer, metrics, names, pieces: periods.pieceKeys(pieces), run: periods.elapsed(answer, layout.today) });
    for (const name of ["why", "departments", "standing", "notes", "today", "records"]) memo(box[name], [], () => []);
    memo(box.bar, [JSON.stringify({ ...state, open: null }), org, false], () => bar(org, { isExample: true }));
    memo(box.notices, [answer, held.sync?.body], () => [
      h("div", { class: "notice example-note", role: "status" }, icon("info"), h("p", { class: "grow" }, h("b", {}, t("example.title")), " ", t("example.text"))),
      ...notices({ answer, error: null, sync: held.sync?.body, onRetry: page.retry }),
    ]);
    const same = [answer.from, answer.to, state.scope, cards.join(), ui.shape, ui.theme];
    memo(box.verdict, same, () => []);
    memo(box.cards, same, () => cardBlocks({
      held: { now: { body: shown.now }, series: { body: shown.series } }, state: { ...state, more: false }, layout: { cards, more: [] }, today: layout.today, isGrouped: !team, basis: basis(answer), canPlan: false, onOpen: null,
    }));
    memo(box.charts, [...same, state.trend], () => (trendMetric() ? h("div", { class: "one" }, trendPanel({
      metric: trendMetric(), pieces, answer: shown.series, running: pieces.to > layout.today, choices: splittable(cards, pieces.by), onMetric: (trend) => void choose({ trend }), redraw: () => { ui.theme += 1; draw(last); },
    })) : []));
    memo(box.people, same, () => (team ? peopleTable({
      title: t("people.title"), caption: t("example.title"), people: shown.people.map((one) => ({ key: one.scope, name: one.name, note: "", group: null })), answer: shown.now, metrics: splittable(cards, "user"),
      view: { sort: { by: "attention", down: false }, filter: "", all: true, chosen: null }, onView: () => {},
    }) : []));
  }

  function bar(org, { isPlan = false, isExample = false } = {}) {
    const query = periods.query(state.choice, layout.today);
    return h("header", { class: "bar page-bar" },
      isTeam(state.scope) ? departmentPicker(org) : person(org),
      h("span", { class: "spring" }),
      isPlan || isClosed() ? null : [
        h("span", { class: "tools" },
          mayPlan() && tool("flag", "plan.title", "plan", () => void choose({ view: "plan" })),
          isTeam(state.scope) ? tool("tv", "tv.title", "tv", () => void choose({ view: "tv" })) : tool("print", "sheet.title", "sheet", () => void choose({ view: "sheet" })),
          exportControl((format) => requests.exported(format, [...chosen().cards, ...chosen().more], state.scope, query, { compare: state.compare === "none" ? null : state.compare })),
          tool("link", "action.share", "share", () => void copyLink()),
          boot.viewer.is_admin && tool("gear", "setup.open", "setup", () => void choose({ view: "setup" })),
          themeControl(),
          isExample ? null : tool("help", "tour.open", "tour", () => startTour())),
        h("div", { class: "choices" },
          periodControls(state.choice, layout.today, (choice) => void choose({ choice })),
          compareControl(state.compare, (compare) => void choose({ compare })))]);
  }

  function tool(glyph, text, key, onClick) {
    return h("button", { class: "button icon", type: "button", "aria-label": t(text), title: t(text), data: { key }, onClick }, icon(glyph));
  }

  function person(org) {
    const found = personOf(org);
    return h("div", { class: "who" },
      home !== state.scope && h("button", { class: "button icon", type: "button", "aria-label": t("action.back"), title: t("action.back"), data: { key: "back" }, onClick: () => void choose({ scope: home }) }, icon("left")),
      avatar(found, true),
      h("div", {}, h("h1", {}, found.name, awayText(found) && h("span", { class: "tag" }, awayText(found))), h("p", {}, [found.position, ...(found.departments ?? [])].filter(Boolean).join(" · ") || "\u00a0")));
  }

  function personOf(org) {
    const id = Number(state.scope.split(":")[1]) || boot.viewer.id;
    return org?.employees.find((one) => one.id === id) ?? { id, name: id === boot.viewer.id ? boot.viewer.name : t("page.colleague") };
  }

  function departmentPicker(org) {
    const options = (org?.departments ?? []).map(({ id, name, depth }) => ({ value: `department:${id}`, name: `${"\u2003".repeat(depth)}${name}` }));
    if (org?.sees_company) options.unshift({ value: "company", name: t("page.company") });
    const current = options.find(({ value }) => value === state.scope);
    if (!current) options.unshift({ value: state.scope, name: state.scope === "company" ? t("page.company") : "…" });
    return h("h1", { class: "pick" }, h("span", { class: "hidden-text" }, t("page.department")),
      h("select", { class: "field department", "aria-label": t("page.department"), data: { key: "department" }, onChange: (event) => void choose({ scope: event.target.value }) },
        options.map(({ value, name }) => h("option", { value, selected: value === state.scope }, name))));
  }

  function sentence(answer, why) {
    const values = Object.fromEntries(answer.values.map((value) => [value.metric, value]));
    const { cards } = chosen();
    const planned = cards.find((key) => key === "revenue") ?? cards.find((key) => Number(values[key]?.target) > 0) ?? "revenue";
    return verdict(values, {
      run: periods.elapsed(answer, layout.today), basis: basis(answer, false), unit: metricOf("revenue").unit, how: style(answer),
      metric: metricOf(planned), judged: cards.map(metricOf), workdays: why?.working_days ?? null, driver: mainDriver(why),
    });
  }

  function charts(held) {
    const pieces = periods.trend(state.choice, layout.today);
    const { cards, more } = chosen();
    const current = trendMetric();
    const hasFunnel = layout.funnel && sells();
    if (!current) return hasFunnel ? funnel(held) : [];
    return h("div", { class: hasFunnel ? "two" : "one" },
      trendPanel({
        metric: current, pieces, answer: (cards.includes(current) ? held.series : held.moreSeries)?.body ?? null, running: pieces.to > layout.today, steps: held.steps?.body ?? null,
        choices: splittable([...cards, ...more.filter((key) => state.more || key === current)], pieces.by),
        onMetric: (trend) => void choose({ trend }), redraw: () => { ui.theme += 1; draw(last); },
      }),
      hasFunnel && funnel(held));
  }

  function funnel(held) {
    return funnelPanel({ answer: held.funnel?.body, chosen: state.pipeline, onPipeline: (pipeline) => { state.pipeline = pipeline; keepAddress(); draw(last); } });
  }

  function trendMetric() {
    const { cards, more } = chosen();
    const known = splittable([...cards, ...more], periods.trend(state.choice, layout.today).by);
    return known.includes(state.trend) ? state.trend : known.find((key) => cards.includes(key)) ?? null;
  }

  /** What colleagues are ranked by: the KPI of the trend if they can be, else the first of the set that they can be. */
  function rankMetric() {
    const able = (key) => ["up", "down", "near_100"].includes(metricOf(key).better) && metricOf(key).dimensions?.includes("user");
    return [trendMetric(), ...chosen().cards].find((key) => key && able(key)) ?? null;
  }

  /** The answer with the rows of people: the main one, or one of its own where a KPI is not for employees. */
  function rowsOf(held) {
    return held.people?.body ?? held.now?.body ?? null;
  }

  function plannable() {
    const { cards, more } = chosen();
    return [...cards, ...more].filter((key) => key !== "funnel" && metricOf(key).better !== "none");
  }

  function planMetric() {
    return plannable().includes(state.plan) ? state.plan : plannable()[0];
  }

  function mayPlan() {
    return boot.viewer.is_admin || (boot.viewer.heads?.length ?? 0) > 0;
  }

  /** True where nothing of the scope is open to the viewer: then there is nothing to choose either. */
  function isClosed() {
    return layout.is_closed && state.scope === home;
  }

  /** True where the KPIs are about winning clients: only then the funnel and the won amount explain them. */
  function sells() {
    return chosen().cards.some((key) => SELLING.includes(metricOf(key).group));
  }

  /** False where nothing was won or lost in either period: a bridge of zeros explains nothing. */
  function hasMoved(why) {
    return why && (why.value === null || [why.value, why.before, why.lost.count].some(Number));
  }

  function isOwn() {
    return scopeOf() === `user:${boot.viewer.id}`;
  }

  function scopeOf() {
    return state.scope === "me" ? `user:${boot.viewer.id}` : state.scope;
  }

  function openRow(answer, org) {
    return (scope, key) => records(key, scope, answer.values.find((one) => one.metric === key)?.rows?.find((row) => row.key === scope), answer, nameOf(org, scope));
  }

  function records(metric, scope, value, answer, who = null) {
    closeRecords();
    state.open = { metric, scope };
    ui.records = { close: openRecords({
      metric, scope, value, answer, who, today: layout.today, range: { from: answer.from, to: answer.to }, where: box.records,
      onClose: () => { ui.records = null; state.open = null; keepAddress(); draw(last); },
    }) };
    keepAddress();
    draw(last);
  }

  /** The records that the address names, as soon as their number is there. */
  function reopen(answer, held, org) {
    const { metric, scope } = state.open;
    const from = [answer, held.people?.body, held.departments?.body, held.more?.body].find((one) => one?.values.some((value) => value.metric === metric));
    const value = from?.values.find((one) => one.metric === metric);
    if (!value) return;
    const isWhole = scope === state.scope;
    queueMicrotask(() => records(metric, scope, isWhole ? value : value.rows?.find((row) => row.key === scope), from, isWhole ? null : nameOf(org, scope)));
  }

  function closeRecords() {
    const open = ui.records;
    ui.records = null;
    state.open = null;
    open?.close();
  }

  function basis(answer, whole = true) {
    if (!answer.compared) return "";
    const name = periods.days(answer.compared, layout.today, boot.lang);
    return whole ? t("delta.basis", { period: name }) : name;
  }

  /** Midnight has passed on the portal while the page was open. */
  function newDay(today) {
    layout.today = today;
    queueMicrotask(() => void page.refresh());
  }

  document.addEventListener("theme-changed", () => { ui.theme += 1; draw(last); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && ["tv", "sheet"].includes(state.view) && !document.fullscreenElement) void choose({ view: null }); });
  onShape(() => { ui.shape = isNarrow(); draw(last); });
  void page.refresh();
}
