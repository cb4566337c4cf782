/** A line of twelve points, 96 × 28. The last, unfinished point is hollow and reached by a dashed line. */

import { svg } from "./dom.js";

const [WIDTH, HEIGHT, EDGE] = [96, 28, 3];

/** `points` are numbers or null (a gap), oldest first; null if fewer than two of them are there. */
export function sparkline(points, { running }) {
  const known = points.filter((point) => point !== null);
  if (known.length < 2) return null;
  const [low, high] = [Math.min(0, ...known), Math.max(...known)];
  const x = (i) => EDGE + (i * (WIDTH - 2 * EDGE)) / (points.length - 1);
  const y = (point) => HEIGHT - EDGE - ((point - low) / (high - low || 1)) * (HEIGHT - 2 * EDGE);
  const end = running ? points.length - 2 : points.length - 1;
  const pieces = runs(points.slice(0, end + 1));
  const last = points.length - 1;

  const drawing = svg("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" });
  for (const run of pieces) {
    const line = run.map((i) => `${round(x(i))} ${round(y(points[i]))}`).join("L");
    const [first, final] = [round(x(run[0])), round(x(run.at(-1)))];
    if (run.length > 1) {
      drawing.append(svg("path", { class: "area", d: `M${line}L${final} ${HEIGHT}L${first} ${HEIGHT}Z` }), svg("path", { d: `M${line}` }));
    } else drawing.append(svg("circle", { class: "whole", cx: first, cy: round(y(points[run[0]])), r: 1 }));
  }
  if (points[last] !== null) {
    if (running && points[last - 1] !== null) {
      drawing.append(svg("path", { class: "running", d: `M${round(x(last - 1))} ${round(y(points[last - 1]))}L${round(x(last))} ${round(y(points[last]))}` }));
    }
    drawing.append(svg("circle", { class: running ? "hollow" : "whole", cx: round(x(last)), cy: round(y(points[last])), r: 2.5 }));
  }
  return drawing;
}

function runs(points) {
  const found = [];
  points.forEach((point, i) => {
    if (point === null) return;
    if (found.length && found.at(-1).at(-1) === i - 1) found.at(-1).push(i);
    else found.push([i]);
  });
  return found;
}

function round(number) {
  return Math.round(number * 10) / 10;
}
