/** The tab of the deal card: this deal beside the norm, what winning it would do, its owner's KPIs. */

import { boot, bridge, lang, metricOf, plural, style, t } from "../context.js";
import { card, skeleton } from "../card.js";
import { h, icon } from "../dom.js";
import { explain } from "../explain.js";
import { duration, exact, money, moment, percent, short } from "../format.js";
import { needsSync, notices } from "../notices.js";
import { toast } from "../overlay.js";
import * as periods from "../periods.js";
import { openRecords } from "../records.js";
import * as requests from "../requests.js";
import { memo, screen } from "../screen.js";
import { pointsOf } from "../trend.js";
import { age } from "../value_state.js";

const { layout } = boot;
const QUIET_S = 5 * 86400; // a deal nobody has touched for longer deserves a hint
const MONTH = { kind: "month", offset: 0 };

/** Draw the tab. */
export function showDeal(root) {
  const dealId = boot.entity.deal_id;
  const box = Object.fromEntries(["notices", "facts", "effect", "head", "cards", "records"].map((name) => [name, h("div", { class: `block-${name}` })]));
  root.replaceChildren(...Object.values(box));
  const page = screen({ needs, draw });
  let pieces = periods.trend(MONTH, layout.today);
  let last = {};
  let current = null;

  function needs() {
    const deal = last.deal?.body;
    const scope = layout.scope ?? (deal?.owner.visible ? `user:${deal.owner.id}` : null);
    const wanted = {};
    if (scope) wanted.now = requests.kpi(layout.cards, scope, "period=month", { compare: "previous" });
    wanted.deal = requests.deal(dealId);
    if (deal?.status === "open" && deal.owner.department) wanted.team = requests.kpi(["revenue"], `department:${deal.owner.department.id}`, "period=month");
    if (scope) wanted.series = requests.series(layout.cards, scope, pieces);
    if (needsSync(last.now?.body, age(last.now?.body?.as_of, new Date())) || last.now?.error) wanted.sync = requests.sync;
    return wanted;
  }

  function draw(held) {
    last = held;
    const deal = held.deal?.body ?? null;
    const answer = held.now?.body ?? null;
    if (answer?.today > layout.today) newDay(answer.today);
    memo(box.notices, [answer, held.now?.error, held.deal?.error, held.sync?.body], () =>
      notices({ answer, error: held.deal?.error ?? held.now?.error, sync: held.sync?.body, onRetry: page.retry }));
    memo(box.facts, [deal, held.deal?.error], () => (deal ? thisDeal(deal) : held.deal?.error ? [] : waiting()));
    memo(box.effect, [deal, answer, held.team?.body], () => (deal ? [effect(deal, answer, held.team?.body ?? null), nextStep(deal)] : []));
    memo(box.head, [deal], () => ownerHead(deal));
    memo(box.cards, [answer, held.series?.body, deal?.owner.visible, held.now?.error, current], () => cards(held));
    if (deal && ((!held.now && needs().now) || (!held.team && needs().team))) queueMicrotask(() => void page.refresh());
    if (!held.sync && needs().sync) queueMicrotask(() => void page.refresh());
  }

  function cards(held) {
    const answer = held.now?.body;
    if (!answer && held.deal?.body && !held.deal.body.owner.visible) return [];
    if (!answer) return h("div", { class: "cards" }, layout.cards.map(() => skeleton(true)));
    return h("div", { class: "cards" }, layout.cards.map((key) => {
      const metric = metricOf(key);
      const value = answer.values.find((one) => one.metric === key);
      const trend = held.series?.body?.values.find((one) => one.metric === key);
      const show = () => records(key, value, answer);
      return card({
        metric, value, answer, compact: true, grain: pieces.by, running: true, current: current === key,
        basis: answer.compared ? t("delta.basis", { period: periods.days(answer.compared, layout.today, lang) }) : "",
        points: trend ? pointsOf(trend, periods.pieceKeys(pieces)) : null,
        onOpen: show, onExplain: () => explain({ metric, value, answer, onRecords: (value?.value ?? null) === null ? null : show }),
      });
    }));
  }

  function records(key, value, answer) {
    current = key;
    openRecords({
      metric: key, scope: answer.scope, value, answer, who: last.deal?.body?.owner.name, today: layout.today,
      range: { from: answer.from, to: answer.to }, where: box.records, onClose: () => { current = null; draw(last); },
    });
    draw(last);
  }

  /** Midnight has passed on the portal while the page was open. */
  function newDay(today) {
    layout.today = today;
    pieces = periods.trend(MONTH, today);
    queueMicrotask(() => void page.refresh());
  }

  void page.refresh();
}

function thisDeal(deal) {
  return h("section", { class: "panel", "aria-label": t("deal.title") },
    h("div", { class: "panel-head" }, h("h1", {}, t("deal.title")), h("span", { class: "aside" }, [deal.pipeline.name, deal.stage.name].filter(Boolean).join(" · "))),
    h("dl", { class: "facts" },
      deal.in_stage ? timeFact(t("deal.in_stage"), deal.in_stage, deal.norm) : timeFact(t(`deal.took_${deal.status}`), deal.age, deal.norm),
      deal.in_stage ? timeFact(t("deal.age"), deal.age, deal.norm) : null,
      fact(t("deal.last_activity"), deal.last_activity ? t("deal.ago", { time: duration(deal.last_activity.seconds, lang) }) : t("deal.no_activity"), contactedAt(deal)),
      fact(t("deal.first_response"), deal.first_response.seconds === null ? "—" : duration(deal.first_response.seconds, lang),
        deal.first_response.reason ? t(`deal.response_${deal.first_response.reason}`) : t("deal.response_hint")),
      fact(t("deal.returns"), String(deal.returns), deal.returns ? t("deal.returns_some") : t("deal.returns_none"))));
}

/** How long, beside how long won deals take. */
function timeFact(name, time, norm) {
  const shown = duration(time.seconds, lang);
  if (time.median === null) {
    const left = Math.max(0, norm.needed - norm.won_deals);
    return fact(name, shown, left ? plural("deal.no_norm", norm.needed, { won: norm.won_deals }) : t("deal.no_times"));
  }
  const late = time.seconds > time.p75;
  const scale = Math.max(time.seconds, time.p75, 1) * 1.15;
  return h("div", {}, h("dt", {}, name), h("dd", { class: "number" }, shown),
    h("dd", {},
      h("div", { class: "norm", "aria-hidden": "true" }, h("i", { class: "usual", style: { width: `${(time.p75 / scale) * 100}%` } }),
        h("i", { class: `now ${late ? "late" : ""}`, style: { left: `${(time.seconds / scale) * 100}%` } })),
      t(late ? "deal.late" : time.seconds > time.median ? "deal.usual" : "deal.quick", { median: duration(time.median, lang), p75: duration(time.p75, lang) })));
}

function fact(name, value, note) {
  return h("div", {}, h("dt", {}, name), h("dd", { class: "number" }, value), note && h("dd", {}, note));
}

function contactedAt(deal) {
  return deal.last_activity ? moment(deal.last_activity.at, { lang, timezone: boot.portal.timezone, now: new Date() }) : null;
}

/** What to do next, by rules; the to-do is made by the portal itself, with the viewer's own rights. */
function nextStep(deal) {
  if (deal.status !== "open") return [];
  const stage = deal.in_stage;
  const text = !deal.last_activity ? t("next.nothing")
    : deal.last_activity.seconds >= QUIET_S ? t("next.quiet", { time: duration(deal.last_activity.seconds, lang) })
      : stage && stage.p75 !== null && stage.seconds > stage.p75 ? t("next.late") : null;
  if (!text) return [];
  const button = h("button", { class: "button primary", type: "button", data: { key: "todo" }, onClick: () => void add() }, icon("task"), t("next.todo"));

  async function add() {
    button.classList.add("busy");
    const fields = { ownerTypeId: 2, ownerId: deal.deal, deadline: `${periods.addDays(layout.today, 1)}T10:00:00`, title: t("next.todo_title"), description: text, responsibleId: boot.viewer.id };
    try {
      const done = await bridge.call("crm.activity.todo.add", fields);
      if (done === null) await bridge.open(`/crm/deal/details/${deal.deal}/`); // without a portal around: its own card
      else {
        button.remove();
        await toast(t("next.done"));
      }
    } catch {
      await toast(t("next.failed"));
    }
    button.classList.remove("busy");
  }

  return h("section", { class: "panel" }, h("div", { class: "panel-head" }, h("h2", {}, t("next.title"))), h("div", { class: "panel-body next-step" }, h("p", { class: "grow" }, text), button));
}

/** What winning this deal would do to its owner's month, or what it has already done. */
function effect(deal, answer, team) {
  if (deal.contribution) return closedEffect(deal);
  const revenue = answer?.values.find((value) => value.metric === "revenue");
  if (!deal.owner.visible || !revenue || revenue.value === null || deal.report_amount === null || Number(deal.report_amount) === 0) return [];
  const how = style(answer);
  const after = Number(revenue.value) + Number(deal.report_amount);
  const steps = [[t("deal.month_revenue"), short(revenue.value, "money", how), short(after, "money", how), exact(after, "money", how)]];
  const check = answer.values.find((value) => value.metric === "average_check");
  if (check && check.reason !== "not_synced") {
    // Not every won deal counts here: those in a currency without a rate are in neither side.
    const [sum, count] = [Number(check.numerator ?? 0) + Number(deal.report_amount), Number(check.denominator ?? 0) + 1];
    steps.push([metricOf("average_check").name, short(check.value, "money", how), short(sum / count, "money", how), null]);
  }
  return h("section", { class: "panel" },
    h("div", { class: "panel-head" }, h("h2", {}, t("deal.if_won")), h("span", { class: "aside" }, `+ ${money(deal.amount, deal.currency, lang)}`)),
    h("div", { class: "plan-steps" }, planStep(t("effect.whose", { name: deal.owner.name }), revenue, deal.report_amount, how),
      team ? planStep(`${t("effect.department")}: ${deal.owner.department.name}`, team.values[0], deal.report_amount, style(team)) : null,
      h("div", { class: "if-won" }, steps.map(([name, before, then, title]) =>
      h("div", {}, h("span", { class: "aside" }, name),
        h("span", { class: "arrow number", title }, h("span", { class: "from" }, before), h("span", { "aria-hidden": "true" }, " → "), h("span", { class: "hidden-text" }, ` ${t("deal.becomes")} `), then))))));
}

/** A plan before and after: "70 % → 82 %"; nothing where there is none. */
function planStep(name, value, amount, how) {
  const target = Number(value?.target);
  if (!(target > 0) || value.value === null) return null;
  const [before, then] = [Number(value.value), Number(value.value) + Number(amount)];
  const width = (part) => `${Math.min(100, (part / Math.max(target, then)) * 100)}%`;
  return h("div", { class: "plan-step" }, h("span", { class: "aside" }, name),
    h("span", { class: "arrow number" }, h("span", { class: "from" }, percent(before / target, lang)), h("span", { "aria-hidden": "true" }, " → "), h("span", { class: "hidden-text" }, ` ${t("deal.becomes")} `), percent(then / target, lang)),
    h("div", { class: "meter", "aria-hidden": "true" }, h("b", { style: { width: width(then) } }), h("i", { style: { width: width(before), position: "relative" } })),
    h("span", { class: "aside" }, t("effect.plan", { amount: short(then, "money", how), target: short(target, "money", how) })));
}

function closedEffect(deal) {
  const { contribution } = deal;
  const day = new Intl.DateTimeFormat(lang, { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }).format(new Date(`${contribution.day}T00:00:00Z`));
  const text = !contribution.counted ? t("deal.not_counted")
    : contribution.amount === null ? t(deal.status === "won" ? "deal.counted_no_rate" : "deal.counted_lost", { day })
      : t("deal.counted_won", { day, amount: money(contribution.amount, contribution.currency, lang) });
  return h("p", { class: "notice" }, icon(deal.status === "won" ? "check" : "info"), h("span", { class: "grow" }, text));
}

function ownerHead(deal) {
  if (deal && !deal.owner.visible) return h("p", { class: "notice" }, icon("lock"), h("span", { class: "grow" }, t("deal.owner_hidden")));
  return h("header", { class: "bar" }, h("h2", {}, deal?.owner.name ? t("deal.owner", { name: deal.owner.name }) : "\u00a0"),
    h("span", { class: "spring" }), h("span", { class: "aside" }, periods.title(MONTH, layout.today, { lang, t })));
}

function waiting() {
  return h("section", { class: "panel waiting", "aria-hidden": "true" }, h("div", { class: "panel-head" }, h("h1", {}, t("deal.title"))),
    h("div", { class: "facts" }, [1, 2, 3, 4, 5].map(() => h("div", { class: "skeleton" }, h("i"), h("i"), h("i")))));
}
