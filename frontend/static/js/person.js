/** What only the page of one person has: what to do today, the score, the place among colleagues, comments. */

import { api, boot, lang, metricOf, plural, style, t } from "./context.js";
import { ApiError } from "./api.js";
import { h, icon, replace } from "./dom.js";
import { DASH, moment, short } from "./format.js";
import { toast } from "./overlay.js";
import * as requests from "./requests.js";
import { gapText, shareText, shortfall, statusOf } from "./standing.js";

const TO_DO = ["activities_overdue", "deals_idle"];
const SUGGESTIONS = 3;
const NEIGHBOURS = 2;

/** Paths of what the page of a person needs besides its KPIs. `query` is a period of periods.js, `rankBy` a metric. */
export function personNeeds({ scope, query, rankBy, isOwn }) {
  const wanted = { notes: requests.notes(scope), score: requests.score(scope, query) };
  if (rankBy) wanted.rank = requests.rank(rankBy, scope, query);
  const known = TO_DO.filter((key) => metricOf(key).available);
  if (isOwn && known.length) wanted.today = requests.kpi(known, scope, "period=month");
  return wanted;
}

/**
 * Up to three things that are worth doing today, each with the records behind it: what is overdue, what has no next step,
 * the KPI that is furthest behind. `onRecords(key, value, answer)` shows records.
 */
export function todayPanel({ today, answer, metrics, onRecords }) {
  const found = [];
  for (const key of TO_DO) {
    const value = today?.values.find((one) => one.metric === key);
    if (Number(value?.value ?? 0) > 0) found.push({ text: plural(`today.${key}`, Number(value.value)), key, value, from: today });
  }
  const behind = metrics.map((key) => ({ key, value: answer.values.find((one) => one.metric === key) }))
    .map((one) => ({ ...one, short: shortfall(one.value, metricOf(one.key)) })).filter((one) => one.short > 0 && statusOf(one.value)?.tone !== "good").sort((a, b) => b.short - a.short);
  for (const { key, value } of behind) {
    const metric = metricOf(key);
    const gap = gapText(value.value, value.pace, metric, style(answer));
    found.push({ text: t(metric.better === "down" ? "today.above" : "today.behind", { metric: metric.name, gap }), key, value, from: answer });
  }
  if (!found.length) return [];
  return h("section", { class: "panel today", "aria-label": t("today.title") },
    h("div", { class: "panel-head" }, h("h2", {}, t("today.title"))),
    h("ul", {}, found.slice(0, SUGGESTIONS).map(({ text, key, value, from }) => h("li", {}, icon("flag"), h("span", {}, text),
      h("button", { class: "button quiet small", type: "button", "aria-label": `${t("today.show")}: ${text}`, data: { key: `today-${key}` }, onClick: () => onRecords(key, value, from) }, t("today.show"))))));
}

/** The score of the set and the place among colleagues, side by side. */
export function standingPanels({ score, rank, answer }) {
  return h("div", { class: "two even" }, score && score.metrics.length ? scorePanel(score, answer) : null, rank ? rankPanel(rank, answer) : null);
}

function scorePanel(score, answer) {
  const isWeighted = new Set(score.metrics.map((one) => Number(one.weight))).size > 1;
  return h("section", { class: "panel score", "aria-label": t("score.title") },
    h("div", { class: "panel-head" }, h("h2", {}, t("score.title")), h("span", { class: "aside" }, score.set?.name ?? "")),
    h("div", { class: "panel-body" },
      h("p", { class: "figure number" }, score.score === null ? DASH : shareText(score.score, lang)),
      score.score === null ? h("p", { class: "aside" }, t("score.none")) : null,
      h("ul", { class: "plain" }, score.metrics.map((one) => {
        const metric = metricOf(one.metric);
        return h("li", { class: one.counted ? null : "quiet" },
          h("span", { class: "name" }, metric.name, isWeighted && [" ", h("small", {}, t("score.weight", { weight: new Intl.NumberFormat(lang).format(Number(one.weight)) }))]),
          h("span", { class: "meter", "aria-hidden": "true" }, one.counted ? h("i", { style: { width: `${Math.min(100, Number(one.attainment ?? 0) * 100)}%` } }) : null),
          h("span", { class: "number" }, one.counted ? [h("b", {}, shareText(one.attainment ?? 0, lang)), " ", h("small", {}, short(one.value, metric.unit, style(answer)))] : h("small", {}, t(`score.reason.${one.reason}`))));
      }))));
}

function rankPanel(rank, answer) {
  const metric = metricOf(rank.metric);
  const rows = neighbours(rank);
  return h("section", { class: "panel rank", "aria-label": t("rank.title") },
    h("div", { class: "panel-head" }, h("h2", {}, t("rank.title")), h("span", { class: "aside" }, metric.name)),
    h("div", { class: "panel-body" },
      rank.rank === null ? h("p", { class: "aside" }, t(`rank.reason.${rank.reason}`))
        : [h("p", { class: "figure number" }, t("rank.place", { rank: rank.rank, of: rank.of })),
          h("p", { class: "ladder", "aria-hidden": "true" }, Array.from({ length: Math.min(rank.of, 60) }, (_, i) => h("i", { class: i + 1 === rank.rank ? "me" : null }))),
          rows ? h("ol", { class: "plain" }, rows.map((row) => h("li", { class: row.key === rank.scope ? "me" : null }, h("span", { class: "name" }, `${row.rank}. ${row.name}`), h("span", { class: "number" }, short(row.value, metric.unit, style(answer))))))
            : h("p", { class: "aside" }, t("rank.private"))]));
}

/** The person and those right before and after; null where their values are nobody else's business. */
function neighbours({ rows, scope }) {
  if (!rows) return null;
  const at = rows.findIndex((row) => row.key === scope);
  const from = Math.max(0, Math.min(at - NEIGHBOURS, rows.length - 2 * NEIGHBOURS - 1));
  return rows.slice(from, from + 2 * NEIGHBOURS + 1);
}

/** Comments of the person's months and the acknowledgement of targets. `month` is the one to write about. */
export function notesPanel({ notes, month, onChanged }) {
  const said = h("p", { class: "aside form-note", role: "status" });
  const act = async (work) => {
    try {
      await work();
      await onChanged();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      replace(said, icon("warn"), error.detail || error.numbered(t("error.other")));
      await toast(t("error.other"));
    }
  };
  const own = notes.months.find((one) => one.month === month);
  const comments = notes.notes.filter((one) => one.kind === "comment");
  return h("section", { class: "panel notes", "aria-label": t("notes.title") },
    h("div", { class: "panel-head" }, h("h2", {}, t("notes.title")), h("span", { class: "aside" }, monthName(month))),
    h("div", { class: "panel-body" },
      acknowledgement(own, notes, month, act),
      h("form", { class: "note-form", onSubmit: (event) => {
        event.preventDefault();
        const text = event.target.text.value.trim();
        if (text) void act(() => api.post("/api/v1/notes", { scope: notes.scope, kind: "comment", month, text }));
      } },
        h("label", { class: "hidden-text", for: "note-text" }, t("notes.write")),
        h("textarea", { class: "field", id: "note-text", name: "text", rows: "2", maxlength: "4000", placeholder: t("notes.write"), data: { key: "note-text" } }),
        h("button", { class: "button outlined", type: "submit", data: { key: "note-send" } }, t("notes.send"))),
      said,
      comments.length ? h("ul", { class: "note-list" }, comments.map((one) => h("li", {},
        h("p", {}, one.text),
        h("p", { class: "aside" }, [one.author?.name, monthName(one.month), moment(one.at, { lang, timezone: boot.portal.timezone, now: new Date() })].filter(Boolean).join(" · "),
          one.may_remove ? h("button", { class: "icon-button", type: "button", "aria-label": t("notes.remove"), title: t("notes.remove"), data: { key: `note-${one.id}` }, onClick: () => void act(() => api.remove(`/api/v1/notes/${one.id}`)) }, icon("trash")) : null))))
        : h("p", { class: "aside" }, t("notes.none"))));
}

function acknowledgement(own, notes, month, act) {
  if (!own || (!own.targets_set_at && !own.acknowledged_at)) return null;
  const when = (at) => moment(at, { lang, timezone: boot.portal.timezone, now: new Date() });
  if (own.is_current) return h("p", { class: "notice good" }, icon("check"), h("span", { class: "grow" }, t("notes.acknowledged", { month: monthName(month), time: when(own.acknowledged_at) })));
  return h("div", { class: "notice" }, icon("flag"),
    h("span", { class: "grow" }, t(own.acknowledged_at ? "notes.changed_since" : notes.may_acknowledge ? "notes.to_acknowledge" : "notes.not_acknowledged", { month: monthName(month), time: when(own.targets_set_at) })),
    notes.may_acknowledge ? h("button", { class: "button primary small", type: "button", data: { key: "acknowledge" }, onClick: () => void act(() => api.post("/api/v1/notes", { scope: notes.scope, kind: "acknowledged", month })) }, t("notes.acknowledge")) : null);
}

function monthName(month) {
  return new Intl.DateTimeFormat(lang, { month: "long", year: "numeric", timeZone: "UTC" }).format(new Date(`${month}-01T00:00:00Z`)).replace(" г.", "");
}
