/** The trend of one KPI over twelve periods: a chart, or the same as a table. */

import { themeColours, trendConfig } from "./charts.js";
import { lang, metricOf, style, t } from "./context.js";
import { h, icon } from "./dom.js";
import { exact } from "./format.js";
import { library } from "./libraries.js";
import { pieceKeys, pieceName } from "./periods.js";

let asTable = false;

/**
 * The panel. `answer` is a trend (null while it is on its way), `pieces` its range (periods.js `trend`),
 * `choices` the metrics to choose from, `steps` the grid of the metric's targets by month, or null.
 */
export function trendPanel({ metric: key, answer, pieces, choices, running, steps = null, onMetric, redraw }) {
  const metric = metricOf(key);
  const box = h("div", { class: "chart-box" });
  const panel = h("section", { class: "panel trend", "aria-label": t("trend.title") },
    h("div", { class: "panel-head" },
      h("h2", {}, t("trend.title")),
      h("label", {}, h("span", { class: "hidden-text" }, t("trend.metric")),
        h("select", { class: "field", data: { key: "trend-metric" }, onChange: (event) => onMetric(event.target.value) },
          choices.map((choice) => h("option", { value: choice, selected: choice === key }, metricOf(choice).name)))),
      h("button", { class: "icon-button", type: "button", "aria-pressed": String(asTable), title: t(asTable ? "trend.as_chart" : "trend.as_table"), "aria-label": t(asTable ? "trend.as_chart" : "trend.as_table"), data: { key: "trend-table" },
        onClick: () => { asTable = !asTable; redraw(); } }, icon(asTable ? "chart" : "table"))),
    h("div", { class: "panel-body" }, box));
  const value = answer?.values?.find((one) => one.metric === key);
  if (!value) return panel;

  const keys = pieceKeys(pieces);
  const points = pointsOf(value, keys);
  const labels = keys.map((piece) => pieceName(piece, lang));
  if (points.every((point) => point === null)) {
    box.append(h("p", { class: "empty" }, t("state.no_records")));
    return panel;
  }
  const targets = steps?.metric === key ? targetsOf(steps, keys) : null;
  const table = dataTable(metric, keys, labels, value, answer, targets);
  if (asTable) {
    box.append(h("div", { class: "chart-table", tabindex: "0" }, table));
    return panel;
  }
  const unseen = h("div", { class: "hidden-text" }, table); // a table itself would not shrink, and the frame would scroll
  const canvas = h("canvas", { role: "img", "aria-label": `${metric.name}: ${t("trend.title")}` });
  box.append(canvas, unseen);
  draw(canvas, { metric, points, labels, running, answer, targets, isMean: value.denominator !== null && value.denominator !== undefined })
    .catch(() => unseen.classList.remove("hidden-text"));
  return panel;
}

/** Numbers of a value's rows in the order of the keys; null where there is none. */
export function pointsOf(value, keys) {
  const rows = new Map((value?.rows ?? []).map((row) => [row.key, row.value]));
  return keys.map((key) => (rows.get(key) === undefined || rows.get(key) === null ? null : Number(rows.get(key))));
}

async function draw(canvas, { metric, points, labels, running, answer, targets, isMean }) {
  await library("chart");
  if (!canvas.isConnected) return;
  const chart = new window.Chart(canvas, trendConfig({
    labels, points, targets, targetName: t("trend.target"), unit: metric.unit, isMean, running, name: metric.name, colours: themeColours(canvas.parentElement), lang, currency: answer.currency,
  }));
  new MutationObserver((_, observer) => {
    if (canvas.isConnected) return;
    chart.destroy();
    observer.disconnect();
  }).observe(document.getElementById("app"), { childList: true, subtree: true });
}

/** The target of every month, of the scope itself; null where there is none at all. */
function targetsOf(steps, keys) {
  const cells = new Map((steps.rows.find((row) => row.kind === "scope")?.cells ?? []).map((cell) => [cell.month, cell.effective]));
  const found = keys.map((key) => (cells.get(key) === null || cells.get(key) === undefined ? null : Number(cells.get(key))));
  return found.some((one) => one !== null) ? found : null;
}

function dataTable(metric, keys, labels, value, answer, targets) {
  const rows = new Map((value.rows ?? []).map((row) => [row.key, row]));
  return h("table", { class: "table" },
    h("caption", { class: "hidden-text" }, metric.name),
    h("thead", {}, h("tr", {}, h("th", { scope: "col", class: "first" }, t("trend.period")), h("th", { scope: "col" }, metric.name), targets && h("th", { scope: "col" }, t("trend.target")))),
    h("tbody", {}, keys.map((key, i) => h("tr", {}, h("th", { scope: "row", class: "first" }, `${labels[i]} ${key.slice(0, 4)}`),
      h("td", { class: "number" }, exact(rows.get(key)?.value ?? null, metric.unit, style(answer))),
      targets && h("td", { class: "number" }, exact(targets[i], metric.unit, style(answer)))))));
}
