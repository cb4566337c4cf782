/**
 * Periods of whole days, as ISO dates, `to` exclusive. Pure.
 *
 * A choice is `{kind: "week"|"month"|"quarter"|"year", offset: 0 | -1 | …}` or
 * `{kind: "custom", from, to}`; the server decides what is compared, `previous` only names it.
 */

const DAY_MS = 86400000;
const MONTHS = { month: 1, quarter: 3, year: 12 };

export const KINDS = ["week", "month", "quarter", "year"];

export function range(choice, today) {
  if (choice.kind === "custom") return { from: choice.from, to: choice.to };
  if (choice.kind === "week") {
    const monday = addDays(today, -((weekday(today) + 6) % 7) + 7 * choice.offset);
    return { from: monday, to: addDays(monday, 7) };
  }
  const length = MONTHS[choice.kind];
  const [year, month] = parts(today);
  const first = Math.floor((month - 1) / length) * length + 1;
  const from = shiftMonths(iso(year, first, 1), length * choice.offset);
  return { from, to: shiftMonths(from, length) };
}

/** The parameters of the API for the choice; the running period and the last one have names. */
export function query(choice, today) {
  if (choice.kind !== "custom" && choice.offset === 0) return `period=${choice.kind}`;
  if (choice.kind !== "custom" && choice.offset === -1) return `period=last_${choice.kind}`;
  const { from, to } = range(choice, today);
  return `from=${from}&to=${to}`;
}

/** Twelve pieces that end with the choice (or today), for trends: the grain of the API and the range. */
export function trend(choice, today) {
  const { from, to } = range(choice, today);
  if (choice.kind === "week") return { by: "week", from: addDays(to, -84), to };
  const last = from <= today && today < to ? today : addDays(to, -1);
  const end = shiftMonths(`${last.slice(0, 8)}01`, 1);
  return { by: "month", from: shiftMonths(end, -12), to: end };
}

/** The days that the API compares the period with. */
export function previous({ from, to }, today, compare) {
  const running = from <= today && today < to;
  const whole = wholeMonths(from, to);
  const months = compare === "year" ? 12 : whole;
  const last = running ? today : addDays(to, -1);
  if (!months) {
    const days = daysBetween(from, to);
    return { from: addDays(from, -days), to: addDays(last, 1 - days) };
  }
  const start = shiftMonths(from, -months);
  if (!running && whole) return { from: start, to: shiftMonths(to, -months) };
  return { from: start, to: addDays(shiftMonths(last, -months), 1) };
}

/** How far the period has run: `{day, days}`, or null for one that is over or has not begun. */
export function elapsed({ from, to }, today) {
  if (today < from || today >= to) return null;
  return { day: daysBetween(from, today) + 1, days: daysBetween(from, to) };
}

/** "Ноябрь 2026", "IV кв. 2026", "2026", "23–29 нояб." */
export function title(choice, today, { lang, t }) {
  const { from, to } = range(choice, today);
  const [year, month] = parts(from);
  if (choice.kind === "year") return String(year);
  if (choice.kind === "quarter") return t("period.quarter_of", { n: Math.floor((month - 1) / 3) + 1, year });
  if (choice.kind === "month") {
    const name = new Intl.DateTimeFormat(lang, { month: "long", timeZone: "UTC" }).format(at(from));
    return `${name[0].toUpperCase()}${name.slice(1)} ${year}`;
  }
  return days({ from, to }, today, lang);
}

/** "1–23 окт.", with the year where it is not this one. */
export function days({ from, to }, today, lang) {
  const last = addDays(to, -1);
  const sameYear = from.slice(0, 4) === today.slice(0, 4) && last.slice(0, 4) === today.slice(0, 4);
  const format = new Intl.DateTimeFormat(lang, {
    day: "numeric", month: "short", ...(sameYear ? {} : { year: "numeric" }), timeZone: "UTC",
  });
  return (from === last ? format.format(at(from)) : format.formatRange(at(from), at(last)))
    .replace(/(\d)\s*–\s*(\d)/, "$1–$2").replace(/\sг\./g, "");
}

/** What a row of a trend is called: "нояб.", or "23 нояб." for a week. */
export function pieceName(key, lang) {
  const month = key.length === 7;
  return new Intl.DateTimeFormat(lang, {
    month: "short", ...(month ? {} : { day: "numeric" }), timeZone: "UTC",
  }).format(at(month ? `${key}-01` : key));
}

/** Keys of the trend's pieces, oldest first. */
export function pieceKeys({ by, from, to }) {
  const keys = [];
  for (let day = from; day < to; day = by === "month" ? shiftMonths(day, 1) : addDays(day, by === "week" ? 7 : 1)) {
    keys.push(by === "month" ? day.slice(0, 7) : day);
  }
  return keys;
}

export function addDays(day, count) {
  return new Date(at(day).getTime() + count * DAY_MS).toISOString().slice(0, 10);
}

export function shiftMonths(day, count) {
  const [year, month, date] = parts(day);
  const index = year * 12 + month - 1 + count;
  const [y, m] = [Math.floor(index / 12), (((index % 12) + 12) % 12) + 1];
  return iso(y, m, Math.min(date, new Date(Date.UTC(y, m, 0)).getUTCDate()));
}

/** The day it is now in the zone. */
export function todayIn(timezone, now) {
  return new Intl.DateTimeFormat("sv", timezone ? { timeZone: timezone } : {}).format(now);
}

function wholeMonths(from, to) {
  if (!from.endsWith("-01") || !to.endsWith("-01")) return 0;
  const [y1, m1] = parts(from);
  const [y2, m2] = parts(to);
  return (y2 - y1) * 12 + m2 - m1;
}

function daysBetween(from, to) {
  return Math.round((at(to) - at(from)) / DAY_MS);
}

function weekday(day) {
  return at(day).getUTCDay();
}

function at(day) {
  return new Date(`${day}T00:00:00Z`);
}

function parts(day) {
  return day.split("-").map(Number);
}

function iso(year, month, day) {
  return `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}
