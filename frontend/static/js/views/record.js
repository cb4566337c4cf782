/** The tab of a lead, a client, a ticket, a task or a project: what matters there, then the KPIs around it. */

import { boot, lang, metricOf, plural, t } from "../context.js";
import { card, skeleton } from "../card.js";
import { h, icon } from "../dom.js";
import { explain } from "../explain.js";
import { duration, money, moment, percent } from "../format.js";
import { notices } from "../notices.js";
import * as periods from "../periods.js";
import * as requests from "../requests.js";
import { memo, screen } from "../screen.js";

const { layout } = boot;
const MONTH = { kind: "month", offset: 0 };
const TITLES = { lead: "lead", contact: "client", company: "client", task: "task", project: "project" };

/** Draw the tab. */
export function showRecord(root) {
  const box = Object.fromEntries(["notices", "facts", "head", "cards"].map((name) => [name, h("div", { class: `block-${name}` })]));
  root.replaceChildren(...Object.values(box));
  const page = screen({ needs, draw });
  let last = {};

  function needs() {
    const wanted = { card: requests.card(boot.entity.record) };
    const found = last.card?.body;
    const scope = layout.scope ?? (found?.owner?.visible ? `user:${found.owner.id}` : null);
    if (scope && found && layout.cards.length && found.is_ticket !== false) wanted.now = requests.kpi(layout.cards, scope, "period=month", { compare: "previous", by: isProject() ? "project" : null });
    return wanted;
  }

  function draw(held) {
    last = held;
    const found = held.card?.body ?? null;
    const answer = held.now?.body ?? null;
    memo(box.notices, [answer, held.card?.error, held.now?.error], () => notices({ answer, error: held.card?.error ?? held.now?.error, sync: null, onRetry: page.retry }));
    memo(box.facts, [found, held.card?.error], () => (found ? described(found) : held.card?.error ? [] : waiting()));
    memo(box.head, [found], () => (found ? head(found) : []));
    memo(box.cards, [answer, found, Boolean(needs().now)], () => (needs().now ? cards(answer) : []));
    if (found && needs().now && !held.now) queueMicrotask(() => void page.refresh());
  }

  void page.refresh();
}

function isProject() {
  return boot.view === "project";
}

function cards(answer) {
  if (!answer) return h("div", { class: "cards" }, layout.cards.map(() => skeleton(true)));
  const key = `project:${boot.entity.record.split("/")[1]}`;
  return h("div", { class: "cards" }, layout.cards.map((name) => {
    const metric = metricOf(name);
    const whole = answer.values.find((one) => one.metric === name);
    // Of a project only its own row counts; one without tasks in the period has none.
    const value = !isProject() || !whole ? whole : { ...whole, value: null, numerator: 0, denominator: 0, before: null, change: null, target: null, attainment: null, reason: "no_records", ...whole.rows?.find((row) => row.key === key) };
    if (isProject() && value?.value !== null && value) value.reason = null;
    const asked = isProject() ? { ...answer, compared: null } : answer;
    return card({ metric, value, answer: asked, compact: true, running: true, basis: asked.compared ? t("delta.basis", { period: periods.days(asked.compared, layout.today, lang) }) : "", points: null, onOpen: null, onExplain: () => explain({ metric, value, answer: asked, onRecords: null }) });
  }));
}

function head(found) {
  if (isProject()) return h("header", { class: "bar" }, h("h2", {}, t("record.project_kpis")), h("span", { class: "spring" }), month());
  if (!layout.cards.length || found.is_ticket === false || !found.owner) return [];
  if (!found.owner.visible) return h("p", { class: "notice" }, icon("lock"), h("span", { class: "grow" }, t("deal.owner_hidden")));
  return h("header", { class: "bar" }, h("h2", {}, t("deal.owner", { name: found.owner.name })), h("span", { class: "spring" }), month());
}

function month() {
  return h("span", { class: "aside" }, periods.title(MONTH, layout.today, { lang, t }));
}

function described(found) {
  const kind = found.kind.split("-")[0];
  const name = TITLES[kind] ?? "ticket";
  if (kind === "process" && !found.is_ticket) return h("p", { class: "notice" }, icon("info"), h("span", { class: "grow" }, t("record.no_ticket")));
  const parts = { lead, client, ticket, task, project }[name](found);
  return parts.map(({ title, aside, lines }, place) => h("section", { class: "panel" },
    h("div", { class: "panel-head" }, h(place ? "h2" : "h1", {}, title), aside ? h("span", { class: "aside" }, aside) : null),
    h("dl", { class: "facts" }, lines.filter(Boolean))));
}

function client(found) {
  const { purchases, support, open } = found;
  const worth = (amount) => (amount === null ? "—" : money(amount, purchases.currency, lang));
  return [
    { title: t("record.client"), aside: t(found.is_repeat ? "record.repeat" : purchases.count ? "record.once" : "record.never"), lines: [
      fact(t("record.bought"), worth(purchases.amount), purchases.without_rate ? t("record.without_rate", { n: purchases.without_rate }) : plural("record.deals", purchases.count)),
      fact(t("record.average"), worth(purchases.average), purchases.last_day ? t("record.last_bought", { day: day(purchases.last_day) }) : null),
      fact(t("record.between"), found.between_s === null ? "—" : duration(found.between_s, lang), found.is_repeat ? t("record.between_hint") : t("record.between_none")),
      fact(t("record.going"), worth(open.amount), plural("record.deals", open.count)),
      fact(t("record.lost"), String(found.lost), null),
    ] },
    { title: t("record.support"), lines: support.cases ? [
      fact(t("record.cases"), String(support.cases), support.open ? t("record.open_cases", { n: support.open }) : t("record.all_closed")),
      fact(t("record.first_reply"), support.reply_s === null ? "—" : duration(support.reply_s, lang), t("record.on_average")),
      fact(t("record.solved_in"), support.resolution_s === null ? "—" : duration(support.resolution_s, lang), t("record.on_average")),
      fact(t("record.content"), support.ratings ? percent(support.positive / support.ratings, lang) : "—", support.ratings ? t("record.ratings", { a: support.positive, b: support.ratings }) : t("record.no_ratings")),
      fact(t("record.last_case"), when(support.last_at), null),
    ] : [fact(t("record.cases"), "0", t("record.no_cases"))] },
  ];
}

function lead(found) {
  const { deals, channel, first_response: reply } = found;
  return [
    { title: t("record.lead"), aside: t(`record.lead_${found.status}`), lines: [
      beside(t(found.status === "open" ? "record.lead_age" : "record.lead_took"), found.age, "record.lead_norm"),
      fact(t("deal.first_response"), reply.seconds === null ? "—" : duration(reply.seconds, lang), reply.reason ? t(`deal.response_${reply.reason}`) : t("deal.response_hint")),
      fact(t("record.born"), deals.won ? money(deals.amount, deals.currency, lang) : String(deals.open + deals.lost), t("record.born_hint", { won: deals.won, open: deals.open, lost: deals.lost })),
      fact(t("record.channel"), channel.name === "unknown" ? t("record.unknown") : channel.name, channel.leads ? t("record.channel_hint", { share: percent(channel.converted / channel.leads, lang), a: channel.converted, b: channel.leads, days: channel.days }) : null),
    ] },
  ];
}

function ticket(found) {
  const rated = found.is_positive === null ? "record.not_rated" : found.is_positive ? "record.rated_good" : "record.rated_bad";
  return [
    { title: t("record.ticket"), aside: t(`record.ticket_${found.status}`), lines: [
      beside(t(found.is_answered ? "record.reply_took" : "record.waits"), found.reply, "record.ticket_norm"),
      beside(t(found.status === "closed" ? "record.solved_in" : "record.open_for"), found.resolution, "record.ticket_norm"),
      fact(t("record.content"), t(rated), null),
      fact(t("record.reopened"), t(found.was_reopened ? "record.yes" : "record.no"), t("record.reopened_hint")),
    ] },
  ];
}

function task(found) {
  const late = found.late_s;
  const isLate = late !== null && late > 0;
  const closed = found.closed_at !== null;
  const rest = found.estimate_s - found.spent_s;
  return [
    { title: t("record.task"), aside: found.project?.name ?? null, lines: [
      fact(t("record.deadline"), found.deadline_at ? when(found.deadline_at) : t("record.no_deadline"), late === null ? null : isLate ? t(closed ? "record.was_late" : "record.is_late", { time: duration(late, lang) }) : t(closed ? "record.was_early" : "record.left", { time: duration(-late, lang) }), isLate ? "bad" : null),
      h("div", {}, h("dt", {}, t("record.hours")), h("dd", { class: "number" }, found.spent_s ? duration(found.spent_s, lang) : "—"),
        h("dd", {}, found.estimate_s ? [h("div", { class: `meter ${rest < 0 ? "bad" : ""}`, "aria-hidden": "true" }, h("i", { style: { width: `${Math.min(100, (found.spent_s / found.estimate_s) * 100)}%` } })), t(rest < 0 ? "record.over" : "record.of_estimate", { estimate: duration(found.estimate_s, lang), time: duration(Math.abs(rest), lang) })] : t("record.no_estimate"))),
      fact(t("record.returned"), found.was_returned === null ? "—" : t(found.was_returned ? "record.yes" : "record.no"), t("record.returned_hint")),
      fact(t("record.mark"), found.mark ? t(found.mark === "P" ? "record.mark_good" : "record.mark_bad") : "—", null),
    ] },
  ];
}

function project(found) {
  const rest = found.estimate_s - found.spent_s;
  return [
    { title: found.name || t("record.project"), aside: found.hidden ? t("record.hidden_tasks", { n: found.hidden }) : null, lines: [
      fact(t("record.open_tasks"), String(found.open), null),
      fact(t("record.overdue"), String(found.overdue), found.overdue ? t("record.overdue_hint") : t("record.nothing_overdue"), found.overdue ? "bad" : null),
      fact(t("record.soon"), String(found.soon), t("record.soon_hint")),
      fact(t("record.hours_open"), found.spent_s ? duration(found.spent_s, lang) : "—", found.estimate_s ? t(rest < 0 ? "record.over" : "record.of_estimate", { estimate: duration(found.estimate_s, lang), time: duration(Math.abs(rest), lang) }) : t("record.no_estimate")),
    ] },
  ];
}

/** A time beside how long others took. */
function beside(name, time, words) {
  const shown = duration(time.seconds, lang);
  if (time.median === null) return fact(name, shown, t("record.no_norm"));
  const late = time.seconds > time.p75;
  const scale = Math.max(time.seconds, time.p75, 1) * 1.15;
  return h("div", {}, h("dt", {}, name), h("dd", { class: "number" }, shown),
    h("dd", {}, h("div", { class: "norm", "aria-hidden": "true" }, h("i", { class: "usual", style: { width: `${(time.p75 / scale) * 100}%` } }), h("i", { class: `now ${late ? "late" : ""}`, style: { left: `${(time.seconds / scale) * 100}%` } })),
      `${t(late ? "record.late" : "record.usual")} ${t(words, { median: duration(time.median, lang), p75: duration(time.p75, lang) })}`));
}

function fact(name, value, note, tone = null) {
  return h("div", {}, h("dt", {}, name), h("dd", { class: "number" }, value), note ? h("dd", { class: tone ? `${tone}-text` : null }, note) : null);
}

function when(at) {
  return at ? moment(at, { lang, timezone: boot.portal.timezone, now: new Date() }) : "—";
}

function day(text) {
  return new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeZone: "UTC" }).format(new Date(`${text}T00:00:00Z`));
}

function waiting() {
  return h("section", { class: "panel waiting", "aria-hidden": "true" }, h("div", { class: "panel-head" }, h("h1", {}, t("state.loading"))), h("div", { class: "facts" }, [1, 2, 3, 4].map(() => h("div", { class: "skeleton" }, h("i"), h("i"), h("i")))));
}
