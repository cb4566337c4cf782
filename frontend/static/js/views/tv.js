/** The view for a screen on the wall: the department's KPIs beside their plans, large, and who leads. */

import { boot, lang, metricOf, style, t } from "../context.js";
import { statusChip, targetBar } from "../card.js";
import { h, icon } from "../dom.js";
import { DASH, moment, short } from "../format.js";
import { avatar } from "../people.js";
import { title } from "../periods.js";
import { shareText, statusOf, targetTexts } from "../standing.js";

const PEOPLE_SHOWN = 8;

/** The screen; `verdict` is the sentence of the page, `people` `{key, name, photo}` of the scope. */
export function tvScreen({ answer, metrics, name, choice, verdict, people, onClose }) {
  const how = style(answer);
  const values = new Map(answer.values.map((value) => [value.metric, value]));
  const cards = metrics.slice(0, 6).map((key) => tile(metricOf(key), values.get(key), how));
  const first = values.get(metrics[0]);
  return h("section", { class: "tv", "aria-label": t("tv.title") },
    h("header", {}, h("h1", {}, name), h("span", { class: "range" }, title(choice, boot.layout.today, { lang, t })),
      h("span", { class: "spring" }),
      h("span", { class: "as-of number" }, t("card.as_of", { time: moment(answer.as_of, { lang, timezone: answer.timezone, now: new Date() }) })),
      h("button", { class: "button icon", type: "button", "aria-label": t("tv.full"), title: t("tv.full"), data: { key: "tv-full" }, onClick: () => document.documentElement.requestFullscreen?.().catch(() => {}) }, icon("full")),
      h("button", { class: "button icon", type: "button", "aria-label": t("tv.close"), title: t("tv.close"), data: { key: "tv-close" }, onClick: onClose }, icon("close"))),
    verdict ? h("p", { class: "verdict" }, verdict) : null,
    h("div", { class: "tiles" }, cards),
    people.length > 1 && first?.rows ? leaders(metricOf(metrics[0]), first, people, how) : null);
}

function tile(metric, value, how) {
  const known = value && value.value !== null;
  const standing = known ? statusOf(value) : null;
  const texts = known && value.target !== null && value.target !== undefined ? targetTexts(value, metric, how) : null;
  return h("article", { class: "tile", data: { metric: metric.key } },
    h("h2", {}, metric.name),
    h("p", { class: "figure number" }, known ? short(value.value, metric.unit, how) : DASH),
    texts ? [targetBar(value, metric, { label: `${texts.target}, ${texts.share}`, tone: standing?.tone ?? "" }), h("p", { class: "number" }, [t("card.target", { target: texts.target }), texts.share].filter(Boolean).join(" · "))] : null,
    standing?.tone ? statusChip(standing) : null);
}

function leaders(metric, value, people, how) {
  const rows = new Map(value.rows.map((row) => [row.key, row]));
  const ranked = people.filter((one) => !one.group && Number(rows.get(one.key)?.value ?? 0) > 0 && !rows.get(one.key).few_data)
    .sort((a, b) => Number(rows.get(b.key).value) - Number(rows.get(a.key).value)).slice(0, PEOPLE_SHOWN);
  if (!ranked.length) return null;
  const most = Number(rows.get(ranked[0].key).value);
  return h("section", { class: "leaders" }, h("h2", {}, t("tv.leaders", { metric: metric.name })),
    h("ol", {}, ranked.map((one) => {
      const row = rows.get(one.key);
      return h("li", {}, avatar(one), h("b", {}, one.name),
        h("span", { class: "track", "aria-hidden": "true" }, h("i", { style: { width: `${(Number(row.value) / most) * 100}%` } })),
        h("span", { class: "number" }, short(row.value, metric.unit, how)),
        h("span", { class: "number aside" }, row.attainment === null || row.attainment === undefined ? "" : shareText(row.attainment, lang)));
    })));
}
