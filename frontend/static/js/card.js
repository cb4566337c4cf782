/** The KPI card: one component for every screen, in every data state. */

import { lang, plural, style, t } from "./context.js";
import { delta } from "./delta.js";
import { h, icon } from "./dom.js";
import { DASH, exact, kindOf, moment, short } from "./format.js";
import { sparkline } from "./sparkline.js";
import { bar, elapsedShare, forecastTexts, statusOf, targetTexts } from "./standing.js";
import { age, drift, valueState } from "./value_state.js";

/**
 * A card. `points` are the numbers of its trend (oldest first) or null, `running` tells that the last is
 * unfinished, `basis` names what the value is compared with. `run` is how far the period has run (periods.js
 * `elapsed`), `onPlan` leads the one who may plan to the targets.
 */
export function card({ metric, value, answer, points, running, grain, basis, compact, current, run, onOpen, onExplain, onPlan }) {
  const { state, note } = valueState(value, metric);
  const name = metric.name;
  const standing = hasNumber(state) ? statusOf(value, run === null) : null;
  const isOpen = onOpen && !["hidden", "unset", "error"].includes(state);
  return h("article", {
    class: compact ? "card compact" : "card",
    data: { metric: metric.key, state, value: value?.value ?? null, status: standing?.status ?? null },
    "aria-current": current ? "true" : null,
  },
    isOpen && h("button", { class: "card-open", type: "button", "aria-label": t("card.open", { name }), data: { key: `open-${metric.key}` }, onClick: onOpen }),
    h("header", { class: "card-head" },
      h("h3", {}, name),
      mark(metric),
      h("button", { class: "icon-button", type: "button", "aria-label": t("card.explain", { name }), title: t("card.explain", { name }), data: { key: `explain-${metric.key}` }, onClick: onExplain }, icon("info"))),
    h("div", { class: "card-figure" }, figure(state, metric, value, answer), points && hasNumber(state) ? trendOf(points, running, grain) : null),
    h("div", { class: "card-body" }, body(state, note, { metric, value, answer, basis, run })),
    h("footer", { class: "card-foot" }, statusChip(standing, onPlan, name), asOf(answer)));
}

/** Ratios of time or money: their numerator and denominator say nothing to people. */
const UNCOUNTED = new Set(["resource_plan", "utilization", "budget_deviation", "channel_roi"]);

/** Icon and word of how a value stands beside its target; a way to the plan where there is none. */
export function statusChip(standing, onPlan = null, name = "") {
  if (!standing || standing.status === "none") {
    return onPlan && standing
      ? h("button", { class: "status link", type: "button", "aria-label": `${t("card.set_target")}: ${name}`, data: { key: `plan-${name}` }, onClick: onPlan }, icon("flag"), t("card.set_target"))
      : h("span", { class: "status" }, standing ? t(standing.word) : "");
  }
  const title = standing.status === "few" ? t("state.few_hint") : null;
  return h("span", { class: `status ${standing.tone}`, title }, icon(standing.glyph), t(standing.word));
}

/** The bar of a target: filled by the value, a tick where it should be by today, a line at the whole target. */
export function targetBar(value, metric, { thin = false, label = "", tone = "" } = {}) {
  const shape = bar(value, metric);
  if (!shape) return null;
  return h("span", { class: `meter target ${thin ? "slim" : ""} ${value.few_data ? "few" : tone}`, role: label ? "img" : null, "aria-label": label || null, "aria-hidden": label ? null : "true" },
    h("i", { style: { width: `${shape.fill}%` } }),
    h("u", { style: { left: `${shape.whole}%` } }),
    shape.tick === null ? null : h("b", { style: { left: `${shape.tick}%` } }));
}

/** A grey card of the same size, for what is still on its way. */
export function skeleton(compact = false) {
  return h("div", { class: compact ? "card compact skeleton" : "card skeleton", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
}

/** "Данные на 14:05": amber when late, red after a day. */
export function asOf(answer) {
  if (!answer?.as_of) return h("span", { class: "as-of" }, "");
  const now = new Date();
  const text = t("card.as_of", { time: moment(answer.as_of, { lang, timezone: answer.timezone, now }) });
  return h("time", { class: `as-of ${age(answer.as_of, now)}`, datetime: answer.as_of }, text);
}

/** Arrow, amount and what it is compared with. */
export function deltaLine(change) {
  if (!change) return null;
  return h("p", { class: `delta ${change.tone}` },
    h("b", { class: "number" }, change.arrow ? h("span", { "aria-hidden": "true" }, `${change.arrow} `) : "", change.amount),
    change.hidden && h("span", { class: "hidden-text" }, `(${change.hidden})`),
    change.basis && h("span", {}, change.basis));
}

function mark(metric) {
  if (metric.origin !== "proxy" && metric.origin !== "manual") return null;
  return h("span", { class: "tag", title: t(`origin.${metric.origin}_hint`) }, t(`origin.${metric.origin}`));
}

function figure(state, metric, value, answer) {
  const how = style(answer);
  if (state === "hidden") return h("p", { class: "card-value" }, h("strong", {}, icon("lock")));
  if (!hasNumber(state)) return h("p", { class: "card-value" }, h("strong", {}, state === "reading" ? "…" : DASH));
  const isRate = kindOf(metric.unit) === "ratio";
  const fraction = isRate && value.denominator && !UNCOUNTED.has(metric.key) ? t("card.fraction", { a: number(value.numerator), b: number(value.denominator) }) : null;
  const asFraction = state === "few" && fraction;
  return h("p", { class: "card-value" },
    h("strong", { class: "number", title: exact(value.value, metric.unit, how) }, asFraction ? fraction : short(value.value, metric.unit, how)),
    asFraction ? null : isRate && fraction ? h("span", { class: "beside number" }, fraction) : null,
    state === "few" && !value.status && h("span", { class: "tag warn", title: t("state.few_hint") }, t("state.few")));
}

function body(state, note, { metric, value, answer, basis, run }) {
  const lines = [];
  if (note) lines.push(h("p", { class: "note" }, t(note)));
  if (!hasNumber(state)) return lines;
  if (value.target !== null && value.target !== undefined) lines.push(target(metric, value, answer, run));
  if (answer.compared && (state !== "zero" || Number(value.before))) lines.push(deltaLine(delta(value, metric, basis, style(answer))));
  const ahead = run ? forecastTexts(value, metric, elapsedShare(value, run), style(answer)) : null;
  if (ahead) lines.push(h("p", { class: "forecast", title: t("card.forecast_hint") }, t(ahead.share ? "card.forecast_share" : "card.forecast", ahead)));
  if (value.provisional) lines.push(h("p", {}, t("state.provisional")));
  return lines;
}

function target(metric, value, answer, run) {
  const texts = targetTexts(value, metric, style(answer));
  const said = [t(metric.better === "down" ? "card.target_most" : "card.target", { target: texts.target }), texts.share, texts.rest && t("card.rest", { rest: texts.rest })].filter(Boolean);
  return h("div", { class: "card-target" },
    h("p", { class: "number" }, said.join(" · ")),
    targetBar(value, metric, { label: said.join(", "), tone: statusOf(value, run === null)?.tone ?? "" }));
}

function trendOf(points, running, grain) {
  const line = sparkline(points, { running });
  if (!line) return null;
  const { direction, steps } = drift(running ? points : [...points, null]);
  const sentence = steps > 1 && direction !== "flat" ? plural(`spark.${direction}_${grain}`, steps) : t("spark.mixed");
  return h("span", { class: "spark-box" }, line, h("span", { class: "hidden-text" }, sentence));
}

function hasNumber(state) {
  return state === "ready" || state === "few" || state === "zero";
}

function number(value) {
  return new Intl.NumberFormat(lang).format(Number(value));
}
