/** The wording of a change. Pure. */

import { kindOf, points, short } from "./format.js";

const CALM = 0.15; // changes inside ±15 % carry no colour
const LARGEST = 9.99;

/**
 * How a value compares: `{arrow, amount, basis, tone, hidden}`, or null where nothing may be said
 * (no value, few data). `basis` names the other period ("к 1–23 окт."); `tone` is good, bad or calm.
 */
export function delta(value, metric, basis, { lang, t, currency }) {
  if (value.value === null || value.few_data) return null;
  if (metric.is_snapshot) return plain(t("delta.snapshot"), "");
  if (value.before === undefined) return null;
  if (value.before === null) return plain(t("delta.no_base"), "");
  const [now, before] = [Number(value.value), Number(value.before)];
  if (before === 0 && now !== 0) return plain(t("delta.was", { value: short(value.before, metric.unit, { lang, currency }) }), basis);
  if (now === before) return plain(t("delta.same"), basis);

  const change = value.change === null || value.change === undefined ? (now - before) / Math.abs(before) : Number(value.change);
  const isRate = kindOf(metric.unit) === "ratio";
  const size = isRate ? (now - before) * 100 : change * 100;
  const shown = points(size, lang);
  if (/^0([.,]0)?$/.test(shown)) return plain(t("delta.same"), basis);

  const up = now > before;
  const sign = up ? "+" : "−";
  const amount = isRate
    ? t("delta.points", { n: `${sign}${shown}` })
    : Math.abs(change) > LARGEST ? t("delta.percent", { n: ">\u202f999" }) : t("delta.percent", { n: shown });
  return { arrow: up ? "▲" : "▼", amount, basis, tone: tone(change, metric.better), hidden: hidden(up, metric.better, t) };
}

function plain(amount, basis) {
  return { arrow: "", amount, basis, tone: "calm", hidden: "" };
}

function tone(change, better) {
  if (Math.abs(change) <= CALM || (better !== "up" && better !== "down")) return "calm";
  return change > 0 === (better === "up") ? "good" : "bad";
}

function hidden(up, better, t) {
  const direction = t(up ? "delta.growth" : "delta.decline");
  if (better !== "up" && better !== "down") return direction;
  return `${direction}, ${t(up === (better === "up") ? "delta.is_better" : "delta.is_worse")}`;
}
