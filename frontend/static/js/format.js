/** Numbers as people read them. Pure: values and a language in, text out. */

const NARROW = "\u202f"; // before a unit: narrow, never breaks the line
const SIGNIFICANT = 3;
const DAY = 86400;

export const DASH = "—";

/** What kind of number a unit of the catalogue is: money, ratio, duration or count. */
export function kindOf(unit) {
  if (unit === "money") return "money";
  if (unit === "ratio" || unit === "percent" || unit === "%") return "ratio";
  if (unit === "seconds" || unit === "duration" || unit === "s") return "duration";
  return "count";
}

/** At most three significant digits, for a card or a cell. Null is a dash. */
export function short(value, unit, { lang, currency }) {
  if (value === null || value === undefined) return DASH;
  const kind = kindOf(unit);
  if (kind === "ratio") return percent(value, lang);
  if (kind === "duration") return duration(value, lang);
  const options = { notation: "compact", maximumSignificantDigits: SIGNIFICANT };
  return kind === "money" ? money(value, currency, lang, options) : narrow(format(value, lang, options));
}

/** The whole number, for tooltips and tables of records. */
export function exact(value, unit, { lang, currency }) {
  if (value === null || value === undefined) return DASH;
  const kind = kindOf(unit);
  if (kind === "ratio") return narrow(format(value, lang, { style: "percent", maximumFractionDigits: 2 }));
  if (kind === "duration") return fullDuration(value, lang);
  if (kind === "money") return money(value, currency, lang);
  return narrow(format(value, lang));
}

/** One decimal below 10 %, none above. */
export function percent(ratio, lang) {
  return narrow(format(ratio, lang, { style: "percent", maximumFractionDigits: decimals(Math.abs(Number(ratio) * 100)) }));
}

/** A number of percent or percentage points, with the same decimals, without the sign of the unit. */
export function points(value, lang) {
  return narrow(format(Math.abs(value), lang, { maximumFractionDigits: decimals(Math.abs(value)) }));
}

/** The two largest fitting units: "2 ч 15 мин"; ten days and more are days with a decimal. */
export function duration(seconds, lang) {
  const total = Math.round(Number(seconds));
  if (total >= 10 * DAY) {
    return unit(total / DAY, "day", lang, { maximumSignificantDigits: SIGNIFICANT });
  }
  const [first, second] = durationParts(total);
  const head = unit(first[0], first[1], lang);
  return second && second[0] ? `${head} ${unit(second[0], second[1], lang)}` : head;
}

/** A sum of money in its own currency, to the cent where there are cents. Takes exact decimal strings. */
export function money(value, currency, lang, options = { maximumFractionDigits: 2, minimumFractionDigits: cents(value) }) {
  const known = /^[A-Z]{3}$/.test(currency ?? "");
  const text = known
    ? format(value, lang, { style: "currency", currency, currencyDisplay: "narrowSymbol", minimumFractionDigits: 0, ...options })
    : format(value, lang, options);
  return narrow(text);
}

/** "14:05", with the date before it if that is not today, and the year of another year. */
export function moment(iso, { lang, timezone, now }) {
  const at = new Date(iso);
  const zone = timezone ? { timeZone: timezone } : {};
  const day = new Intl.DateTimeFormat("sv", { ...zone });
  const time = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...zone });
  if (day.format(at) === day.format(now)) return time.format(at);
  const year = day.format(at).slice(0, 4) === day.format(now).slice(0, 4) ? {} : { year: "numeric" };
  const date = new Intl.DateTimeFormat(lang, { day: "numeric", month: "short", ...year, ...zone });
  return `${date.format(at)}, ${time.format(at)}`;
}

function decimals(percentage) {
  return percentage < 9.95 ? 1 : 0;
}

function durationParts(total) {
  if (total >= DAY) {
    const hours = Math.round(total / 3600); // rounded before it is cut, or there would be days of 24 hours
    return [[Math.floor(hours / 24), "day"], [hours % 24, "hour"]];
  }
  if (total >= 3600) return [[Math.floor(total / 3600), "hour"], [Math.floor((total % 3600) / 60), "minute"]];
  if (total >= 60) return [[Math.floor(total / 60), "minute"], [total % 60, "second"]];
  return [[total, "second"]];
}

function fullDuration(seconds, lang) {
  let rest = Math.round(Number(seconds));
  const parts = [];
  for (const [size, name] of [[DAY, "day"], [3600, "hour"], [60, "minute"], [1, "second"]]) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count || (size === 1 && !parts.length)) parts.push(unit(count, name, lang));
  }
  return parts.join(" ");
}

function unit(count, name, lang, options = {}) {
  return narrow(format(count, lang, { style: "unit", unit: name, unitDisplay: "short", ...options }));
}

function cents(value) {
  return /\.(?!0*$)/.test(String(value)) ? 2 : 0;
}

function format(value, lang, options) {
  return new Intl.NumberFormat(lang, options).format(typeof value === "string" ? value : Number(value));
}

function narrow(text) {
  return text.replace(/[\u00a0 ](?=[^\d\s]+$)/, NARROW).replace(/^-/, "\u2212");
}
