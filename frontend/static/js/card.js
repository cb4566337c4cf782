/** The KPI card: one component for every screen, in every data state. */

import { lang, plural, style, t } from "./context.js";
import { delta } from "./delta.js";
import { h, icon } from "./dom.js";
import { DASH, exact, kindOf, moment, percent, short } from "./format.js";
import { sparkline } from "./sparkline.js";
import { age, drift, valueState } from "./value_state.js";

/**
 * A card. `points` are the numbers of its trend (oldest first) or null, `running` tells that the last is
 * unfinished, `basis` names what the value is compared with.
 */
export function card({ metric, value, answer, points, running, grain, basis, compact, current, onOpen, onExplain }) {
  const { state, note } = valueState(value, metric);
  const name = metric.name;
  return h("article", {
    class: compact ? "card compact" : "card",
    data: { metric: metric.key, state, value: value?.value ?? null },
    "aria-current": current ? "true" : null,
  },
    onOpen && !["hidden", "unset", "error"].includes(state) &&
      h("button", { class: "card-open", type: "button", "aria-label": t("card.open", { name }), data: { key: `open-${metric.key}` }, onClick: onOpen }),
    h("header", { class: "card-head" },
      h("h3", {}, name),
      mark(metric),
      h("button", { class: "icon-button", type: "button", "aria-label": t("card.explain", { name }), title: t("card.explain", { name }), data: { key: `explain-${metric.key}` }, onClick: onExplain }, icon("info"))),
    figure(state, metric, value, answer),
    h("div", { class: "card-body" }, body(state, note, metric, value, answer, basis)),
    h("footer", { class: "card-foot" }, asOf(answer), points && hasNumber(state) ? trendOf(points, running, grain) : null));
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
  const fraction = isRate && value.denominator ? t("card.fraction", { a: number(value.numerator), b: number(value.denominator) }) : null;
  const asFraction = state === "few" && fraction;
  return h("p", { class: "card-value" },
    h("strong", { class: "number", title: exact(value.value, metric.unit, how) }, asFraction ? fraction : short(value.value, metric.unit, how)),
    asFraction ? null : isRate && fraction ? h("span", { class: "beside number" }, fraction) : null,
    state === "few" && h("span", { class: "tag warn", title: t("state.few_hint") }, t("state.few")));
}

function body(state, note, metric, value, answer, basis) {
  const lines = [];
  if (note) lines.push(h("p", { class: "note" }, t(note)));
  if (!hasNumber(state)) return lines;
  if (value.target !== null && value.target !== undefined) lines.push(target(metric, value, answer));
  if (answer.compared && (state !== "zero" || Number(value.before))) lines.push(deltaLine(delta(value, metric, basis, style(answer))));
  if (value.provisional) lines.push(h("p", {}, t("state.provisional")));
  return lines;
}

function target(metric, value, answer) {
  const attainment = Number(value.attainment ?? 0);
  const shown = percent(Math.min(attainment, 9.99), lang);
  return h("div", { class: "card-target" },
    h("p", {}, t("card.target", { target: short(value.target, metric.unit, style(answer)), share: shown })),
    h("div", { class: "meter", role: "img", "aria-label": shown }, h("i", { style: { width: `${Math.min(attainment, 1.2) / 1.2 * 100}%` } })));
}

function trendOf(points, running, grain) {
  const line = sparkline(points, { running });
  if (!line) return null;
  const { direction, steps } = drift(running ? points : [...points, null]);
  const sentence = steps > 1 && direction !== "flat" ? plural(`spark.${direction}_${grain}`, steps) : t("spark.mixed");
  return h("span", {}, line, h("span", { class: "hidden-text" }, sentence));
}

function hasNumber(state) {
  return state === "ready" || state === "few" || state === "zero";
}

function number(value) {
  return new Intl.NumberFormat(lang).format(Number(value));
}
