/** How a value stands beside its target: what the card, the table and the verdict say of it. Pure. */

import { kindOf, percent, short } from "./format.js";

const OVER = 1.1; // of the full target
const SHOWN_MOST = 9.99;
const BAR_MOST = 1.2; // what the bar's right end means
const FORECAST_FROM = 0.2; // of the working days

export const GLYPHS = { over: "star", met: "check", near: "warn", behind: "down_right", few: "dots", none: "dash" };
const TONES = { over: "good", met: "good", near: "warn", behind: "bad", few: "", none: "" };
const RANKS = { behind: 0, near: 1, met: 2, over: 3, few: 4, none: 5 };

/** True for a KPI whose values add up over people and days: counts and sums, not rates and means. */
export function addsUp(metric) {
  return metric.adds_up ?? (kindOf(metric.unit) !== "ratio" && !metric.is_mean);
}

/**
 * `{status, tone, glyph, word, rank}` of a value, or null where there is nothing to judge. `word` is a key of the
 * texts; a period that is over has words of its own.
 */
export function statusOf(value, isOver = false) {
  const status = kind(value);
  if (!status) return null;
  const judged = status !== "few" && status !== "none";
  return { status, tone: TONES[status], glyph: GLYPHS[status], word: `status.${isOver && judged ? "was_" : ""}${status}`, rank: RANKS[status] };
}

function kind(value) {
  if (!value) return null;
  if (value.status === "no_target") return "none";
  if (value.status === "few_data") return "few";
  if (value.status === "met" && Number(value.attainment) >= OVER) return "over";
  return value.status ?? null;
}

/** The target bar: widths in percent of its length, `{fill, tick, whole}`; null without a target. */
export function bar(value, metric) {
  const target = Number(value?.target ?? 0);
  if (!value || value.target === null || value.target === undefined || value.value === null || target <= 0) return null;
  const used = Number(value.value) / target; // where less is better: how much of the allowance is used
  const place = (share) => (Math.max(0, Math.min(share, BAR_MOST)) / BAR_MOST) * 100;
  const expected = value.pace === null || value.pace === undefined || !addsUp(metric) ? null : Number(value.pace) / target;
  return { fill: place(used), tick: expected === null || expected >= 1 ? null : place(expected), whole: place(1) };
}

/** The line under a value: `{target, share, rest}` as texts; `rest` is "" where nothing is left to do. */
export function targetTexts(value, metric, how) {
  const target = short(value.target, metric.unit, how);
  const share = value.attainment === null || value.attainment === undefined ? "" : shareText(value.attainment, how.lang);
  const isShort = Number(value.value) < Number(value.target);
  const rest = addsUp(metric) && metric.better === "up" && isShort ? gapText(value.value, value.target, metric, how) : "";
  return { target, share, rest };
}

/** The attainment in percent, at most 999. */
export function shareText(attainment, lang) {
  const share = Number(attainment);
  return share > SHOWN_MOST ? `>${percent(SHOWN_MOST, lang)}` : percent(share, lang);
}

/** `{value, share}` of the forecast as texts, or null while it says too little. */
export function forecastTexts(value, metric, elapsedShare, how) {
  if (value?.forecast === null || value?.forecast === undefined || value.few_data || elapsedShare < FORECAST_FROM || Number(value.value) === 0) return null;
  const target = Number(value.target ?? 0);
  return {
    value: short(roughly(value.forecast, metric), metric.unit, how),
    share: target > 0 && metric.better === "up" ? shareText(Number(value.forecast) / target, how.lang) : "",
  };
}

/** A planned or foreseen amount as people speak of it: things that are counted come whole. */
export function roughly(amount, metric) {
  return kindOf(metric.unit) === "count" ? String(Math.round(Number(amount))) : String(amount);
}

/** What is missing between two amounts, as a text; a part of a thing is a whole one. */
export function gapText(value, to, metric, how) {
  const gap = Math.abs(Number(value) - Number(to));
  return short(String(kindOf(metric.unit) === "count" ? Math.ceil(gap) : gap), metric.unit, how);
}

/** How much of a running period has passed, by working days where the pace tells them. */
export function elapsedShare(value, run) {
  const target = Number(value?.target ?? 0);
  if (target > 0 && value.pace !== null && value.pace !== undefined && Number(value.pace) !== target) return Number(value.pace) / target;
  return run ? run.day / run.days : 1;
}

/**
 * How far behind its pace a value is, as a share of what was expected: 0.25 is a quarter short, negative is ahead,
 * null where there is nothing to judge.
 */
export function shortfall(value, metric) {
  if (!value || value.value === null || value.few_data || value.pace === null || value.pace === undefined) return null;
  const [now, expected] = [Number(value.value), Number(value.pace)];
  if (metric.better === "down") return now > 0 ? (now - expected) / now : expected > 0 ? -1 : 0;
  if (metric.better === "near_100") return Math.abs(now - 1);
  return expected > 0 ? (expected - now) / expected : null;
}
