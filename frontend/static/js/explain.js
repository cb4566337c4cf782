/** The explain panel: what a number means, how this one came about, where it is from. */

import { boot, lang, plural, style, t } from "./context.js";
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
      part("reading", metric.reading),
      part("dates", metric.moment, metric.is_snapshot ? t("explain.snapshot") : t("explain.period", { range: period(answer), timezone: answer.timezone ?? "" })),
      part("credit", metric.credit),
      leftOut(value),
      source(metric, answer),
      sample(metric, value),
      h("details", {}, h("summary", {}, t("explain.for_admin")),
        h("code", {}, `metric: ${metric.key}`), h("code", {}, `scope: ${answer.scope}`), h("code", {}, `unit: ${metric.unit}`),
        metric.rest_scopes?.length ? h("code", {}, `REST: ${metric.rest_scopes.join(", ")}`) : null,
        h("code", {}, `portal: ${answer.portal ?? boot.portal?.member_id}`)),
    ],
    footer: onRecords && [
      h("button", { class: "button primary", type: "button", onClick: () => { close(); onRecords(); } }, t("explain.records")),
    ],
  });
}

function part(name, ...texts) {
  const said = texts.filter(Boolean);
  return said.length ? h("section", {}, h("h3", {}, t(`explain.${name}`)), said.map((text) => h("p", {}, text))) : null;
}

/** "48 ÷ 160 = 30 %", in the units of the KPI. */
function sum(metric, value, answer) {
  const how = style(answer);
  const { note, state } = valueState(value, metric);
  if (note && state !== "zero") return h("p", { class: "sum" }, t(note));
  const result = exact(value.value, metric.unit, how);
  if (!(Number(value.denominator) > 0)) return h("p", { class: "sum" }, h("b", { class: "number" }, result));
  const isRate = kindOf(metric.unit) === "ratio";
  const top = exact(value.numerator, isRate ? "count" : metric.unit, how);
  const bottom = exact(value.denominator, "count", how);
  return h("p", { class: "sum" },
    h("span", {}, `${top} ÷ ${bottom} = `, h("b", {}, isRate ? result : short(value.value, metric.unit, how))));
}

/** Records that a rule keeps out, each with its one reason. */
function leftOut(value) {
  const rows = value?.left_out ?? [];
  if (!rows.length) return null;
  return part("left_out", ...rows.map((row) => plural(`left_out.${row.reason}`, row.count, { currency: row.currency ?? "" })));
}

function source(metric, answer) {
  const hint = metric.origin === "proxy" || metric.origin === "manual" ? t(`origin.${metric.origin}_hint`) : null;
  const read = answer.as_of ? t("explain.read_at", { time: moment(answer.as_of, { lang, timezone: answer.timezone, now: new Date() }) }) : null;
  return part("source", metric.source, hint, read, answer.complete === false ? t("explain.incomplete") : null);
}

function sample(metric, value) {
  if (!metric.min_sample) return null;
  return part("sample", plural("explain.sample_text", metric.min_sample), value?.few_data ? t("state.few_hint") : null);
}

function period(answer) {
  return days({ from: answer.from, to: answer.to }, answer.today ?? boot.layout.today, lang);
}
