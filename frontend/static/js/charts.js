/** What Chart.js is told to draw. Pure: numbers and colours in, a configuration out. */

import { kindOf, short } from "./format.js";

/**
 * A trend: bars for what adds up, a line for rates and means.
 * `points` are numbers or null; `running` marks the unfinished last one; `targets` are steps laid over them, or null.
 */
export function trendConfig({ labels, points, targets = null, targetName = "", unit, isMean, running, name, colours, lang, currency }) {
  const isLine = isMean || kindOf(unit) === "ratio";
  const last = points.length - 1;
  const show = (value) => short(value, unit, { lang, currency });
  const dataset = isLine
    ? {
        borderColor: colours.accent,
        backgroundColor: colours.fill,
        fill: "origin",
        borderWidth: 2,
        cubicInterpolationMode: "monotone", // never below or above what was measured
        pointRadius: points.map((_, i) => (i === last ? 4 : 3)),
        pointBackgroundColor: points.map((_, i) => (running && i === last ? colours.panel : colours.accent)),
        pointBorderColor: colours.accent,
        segment: { borderDash: (at) => (running && at.p1DataIndex === last ? [4, 4] : undefined) },
        spanGaps: false,
      }
    : {
        backgroundColor: points.map((_, i) => (running && i === last ? colours.fill : colours.accent)),
        borderColor: colours.accent,
        borderWidth: points.map((_, i) => (running && i === last ? 1.5 : 0)),
        borderRadius: 4,
        borderSkipped: "bottom",
        maxBarThickness: 36,
      };
  return {
    type: isLine ? "line" : "bar",
    data: { labels, datasets: [...(targets ? [stepsOf(targets, targetName, colours)] : []), { label: name, data: points, order: 1, ...dataset }] },
    options: {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      interaction: { mode: "index", intersect: false },
      layout: { padding: { top: 8 } },
      font: { family: colours.font },
      scales: {
        x: { grid: { display: false }, border: { color: colours.line }, ticks: { color: colours.text, maxRotation: 0, autoSkipPadding: 12, font: { family: colours.font, size: 12 } } },
        y: { beginAtZero: true, border: { display: false }, grid: { color: colours.line }, ticks: { color: colours.text, maxTicksLimit: 5, stepSize: stepOf(unit, points), callback: show, font: { family: colours.font, size: 12 } } },
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          displayColors: false,
          backgroundColor: colours.ink,
          titleColor: colours.panel,
          bodyColor: colours.panel,
          padding: 10,
          cornerRadius: 8,
          callbacks: { label: (item) => (targets ? `${item.dataset.label}: ${show(item.raw)}` : show(item.raw)) },
        },
      },
    },
  };
}

const MINUTE = 60;
const CLOCK = [1, 5, 10, 15, 30].flatMap((n) => [n, n * MINUTE]).concat([1, 2, 3, 6, 12, 24, 48, 120, 240, 480, 960, 1920].map((n) => n * 60 * MINUTE)).sort((a, b) => a - b);
const MARKS = 4;

/** Seconds between the marks of an axis of times, so that they are round as a clock counts; undefined for other units. */
function stepOf(unit, points) {
  if (kindOf(unit) !== "duration") return undefined;
  const most = Math.max(...points.filter((one) => one !== null), 1);
  return CLOCK.find((step) => most / step <= MARKS);
}

/** Targets as steps: a level for each month, joined by risers. */
function stepsOf(targets, label, colours) {
  return {
    type: "line", label, data: targets, order: 0, stepped: "middle", borderColor: colours.ink, borderWidth: 1.5, borderDash: [5, 3],
    pointRadius: targets.map((one, i) => (one !== null && targets[i - 1] == null && targets[i + 1] == null ? 2 : 0)), pointBackgroundColor: colours.ink, fill: false, spanGaps: false,
  };
}

/** The colours of the theme in force, as Chart.js needs them: plain values. */
export function themeColours(element) {
  const probe = document.createElement("span");
  element.append(probe);
  const read = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = {
    accent: read("accent"), panel: read("panel"), line: read("line"), text: read("text-quiet"), ink: read("text"),
    font: getComputedStyle(element).fontFamily,
  };
  colours.fill = colours.accent.replace(/^rgb\((.*)\)$/, "rgba($1, 0.14)");
  probe.remove();
  return colours;
}
