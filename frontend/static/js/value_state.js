/** Which of the data states of a screen a value is in. Pure. */

import { kindOf } from "./format.js";

const UNSET = { missing_scope: "missing_scope", source_off: "source_off", not_per_employee: "not_per_employee" };

/**
 * `{state, note}`: `state` is ready, few, zero, none, reading, unset, hidden or error; `note` the key of
 * the sentence that belongs to it (null for ready).
 */
export function valueState(value, metric) {
  if (!value) return { state: "error", note: "state.error" };
  if (value.error) return { state: value.error.status === 403 ? "hidden" : "error", note: value.error.status === 403 ? "state.hidden" : "state.error" };
  if (value.value === null || value.value === undefined) {
    if (value.reason === "not_synced") return { state: "reading", note: "state.reading" };
    if (value.reason in UNSET) return { state: "unset", note: `state.${UNSET[value.reason]}` };
    return { state: "none", note: kindOf(metric.unit) === "ratio" ? "state.no_denominator" : "state.no_records" };
  }
  if (value.few_data) return { state: "few", note: null };
  if (Number(value.value) === 0 && kindOf(metric.unit) !== "ratio") return { state: "zero", note: "state.zero" };
  return { state: "ready", note: null };
}

const LATE_MS = 60 * 60 * 1000; // twice the longest pause between reads
const DEAD_MS = 24 * 60 * 60 * 1000;

/** How old the numbers are: "" while fresh, "late", or "dead" after a day. */
export function age(asOf, now) {
  if (!asOf) return "";
  const passed = now - new Date(asOf);
  return passed > DEAD_MS ? "dead" : passed > LATE_MS ? "late" : "";
}

/**
 * Which way a series goes, for those who do not see the line: `{direction: "up"|"down"|"flat", steps}`.
 * `points` are numbers or null, oldest first; the unfinished last one is left out.
 */
export function drift(points) {
  const whole = points.slice(0, -1).filter((point) => point !== null);
  let steps = 0;
  let direction = "flat";
  for (let i = whole.length - 1; i > 0; i -= 1) {
    const step = whole[i] > whole[i - 1] ? "up" : whole[i] < whole[i - 1] ? "down" : "flat";
    if (steps && step !== direction) break;
    direction = step;
    steps += 1;
  }
  return { direction, steps };
}
