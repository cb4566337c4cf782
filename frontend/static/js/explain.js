/** The explain panel: what a number means, how this one came about, where it is from. */

import { boot, lang, style, t } from "./context.js";
import { h } from "./dom.js";
import { exact, kindOf, moment, short } from "./format.js";
import { openDrawer } from "./overlay.js";
import { days } from "./periods.js";
import { valueState } from "./value_state.js";

/** Open it for a value of an answer. `onRecords` shows the records behind the number. */
export function explain({ metric, value, answer, onRecords }) {
  const close = openDrawer({
    title: metric.name,
    body: [
      metric.meaning && h("p", { class: "lead" }, metric.meaning),
      sum(metric, value, answer),
      part("formula", metric.formula),
      part("dates", metric.snapshot ? t("explain.snapshot_text") : t("explain.dates_text", { range: period(answer), timezone: answer.timezone ?? "" })),
      part("credit", t(answer.scope?.startsWith("user") || answer.scope === "me" ? "explain.credit_user" : "explain.credit_many")),
      part("better", t(`explain.better_${["up", "down", "near"].includes(metric.better) ? metric.better : "none"}`)),
      source(metric, answer),
      part("sample", value?.few_data ? t("explain.sample_few") : t("explain.sample_text")),
      h("details", {}, h("summary", {}, t("explain.for_admin")),
        h("code", {}, `metric: ${metric.key}`), h("code", {}, `scope: ${answer.scope}`), h("code", {}, `unit: ${metric.unit}`),
        metric.scopes?.length ? h("code", {}, `REST: ${metric.scopes.join(", ")}`) : null,
        h("code", {}, `portal: ${answer.portal ?? boot.portal?.member_id}`)),
    ],
    footer: onRecords && [
      h("button", { class: "button primary", type: "button", onClick: () => { close(); onRecords(); } }, t("explain.records")),
    ],
  });
}

function part(name, text) {
  return text ? h("section", {}, h("h3", {}, t(`explain.${name}`)), h("p", {}, text)) : null;
}

/** "48 ÷ 160 = 30 %", with what the parts are only where the formula says it. */
function sum(metric, value, answer) {
  const how = style(answer);
  const { state, note } = valueState(value, metric);
  if (note && state !== "zero") return h("p", { class: "sum" }, t(note));
  const result = exact(value.value, metric.unit, how);
  const isQuotient = value.denominator !== null && value.denominator !== undefined && Number(value.denominator) > 0;
  if (!isQuotient) return h("p", { class: "sum number" }, result);
  const count = (n) => exact(n, "count", how);
  const top = kindOf(metric.unit) === "ratio" ? count(value.numerator) : exact(value.numerator, metric.unit, how);
  return h("p", { class: "sum" }, h("span", {}, `${top} ÷ ${count(value.denominator)} = `, h("b", {}, kindOf(metric.unit) === "ratio" ? result : short(value.value, metric.unit, how))),
    kindOf(metric.unit) === "ratio" ? null : h("small", {}, t("explain.exactly", { value: result })));
}

function source(metric, answer) {
  const kind = metric.source?.kind ?? metric.kind ?? (metric.proxy ? "proxy" : "native");
  const words = typeof metric.source === "string" ? metric.source : metric.source?.text;
  const lines = [t(`source.${has(kind)}_hint`)];
  if (words && !has2(words)) lines.unshift(words);
  if (typeof metric.proxy === "string") lines.push(metric.proxy);
  const read = answer.as_of ? t("explain.read_at", { time: moment(answer.as_of, { lang, timezone: answer.timezone, now: new Date() }) }) : "";
  return h("section", {}, h("h3", {}, t("explain.source")), ...lines.map((line) => h("p", {}, line)), read && h("p", {}, read),
    answer.complete === false && h("p", {}, t("explain.incomplete")));
}

function has(kind) {
  return ["native", "proxy", "manual"].includes(kind) ? kind : "native";
}

function has2(words) {
  return ["native", "proxy", "manual"].includes(words);
}

function period(answer) {
  return days({ from: answer.from, to: answer.to }, boot.layout?.today ?? answer.from, lang);
}
