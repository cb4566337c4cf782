/** One sentence about a period, by rules. Pure. */

import { points, short } from "./format.js";
import { addsUp, gapText, shareText } from "./standing.js";

/**
 * The sentence, or "" if there is nothing to say. `values` by metric, `run` from periods.js `elapsed`, `basis`
 * the name of the period it is compared with. With a target: how far the plan is met beside what is expected;
 * `metric` (of the catalogue) is the one whose plan it is, `judged` are those of the cards, `workdays` `{elapsed, all}`, `driver` what moved the
 * amount most and `change` which way.
 */
export function verdict(values, { run, basis, unit, how, metric = { key: "revenue", unit, better: "up" }, judged = [], workdays = null, driver = null }) {
  const { t } = how;
  const value = values[metric.key];
  const planned = value && value.value !== null && Number(value.target) > 0 && addsUp(metric) && metric.better === "up";
  const opening = !run ? "" : `${workdays ? t("verdict.workday", { day: workdays.elapsed, days: workdays.all }) : t("verdict.day", run)} `;
  if (!planned) return values.revenue ? unplanned(values, { run, basis, unit, how }) : (opening + standings(values, judged, how)).trim();
  const name = metric.key === "revenue" ? t("verdict.revenue") : metric.name;
  const share = shareText(Number(value.value) / Number(value.target), how.lang);
  const gap = (to) => gapText(value.value, to, metric, how);
  if (!run) {
    const met = Number(value.value) >= Number(value.target);
    return t(met ? "verdict.was_met" : "verdict.was_missed", { name, share, gap: gap(value.target) });
  }
  if (value.pace === null || value.pace === undefined || Number(value.value) >= Number(value.target)) {
    return opening + t(Number(value.value) >= Number(value.target) ? "verdict.done" : "verdict.share", { name, share });
  }
  const expected = shareText(Number(value.pace) / Number(value.target), how.lang);
  const ahead = Number(value.value) >= Number(value.pace);
  const cause = driver && metric.key === "revenue" && (Number(value.change ?? 0) > 0) === ahead && Number(value.change ?? 0) !== 0 ? t(`verdict.by_${driver}`) : "";
  return opening + t(ahead ? "verdict.ahead" : "verdict.behind", { name, share, expected, gap: gap(value.pace) }) + cause + ".";
}

/** Of KPIs that are no sums: how many are on plan, and which is furthest from it. */
function standings(values, metrics, { t }) {
  const planned = metrics.filter(({ key }) => ["met", "near", "behind"].includes(values[key]?.status));
  if (!planned.length) return "";
  const off = planned.filter(({ key }) => values[key].status !== "met").sort((a, b) => Number(values[a.key].attainment) - Number(values[b.key].attainment));
  const said = t("verdict.on_plan", { met: planned.length - off.length, all: planned.length });
  return off.length ? `${said} ${t("verdict.furthest", { name: off[0].name })}` : said;
}

function unplanned(values, { run, basis, unit, how }) {
  const { t, lang } = how;
  const revenue = values.revenue;
  const opening = run ? `${t("verdict.day", run)} ` : "";
  if (!revenue || revenue.value === null) return opening.trim();
  const amount = short(revenue.value, unit, how);
  if (Number(revenue.value) === 0) return opening + t("verdict.nothing");
  const change = revenue.change === null || revenue.change === undefined ? null : Number(revenue.change);
  if (change === null || !basis) return opening + t("verdict.plain", { amount });
  const n = points(Math.abs(change) * 100, lang);
  if (/^0([.,]0)?$/.test(n)) return opening + t("verdict.same", { amount, basis });
  const driver = mainDriver(values, change);
  return opening + t(change > 0 ? "verdict.more" : "verdict.less", { amount, n, basis }) +
    (driver ? t(`verdict.by_${driver}`) : "") + ".";
}

/** Which of the two factors of revenue moved it: the one whose own change, in the same direction, is larger. */
function mainDriver(values, change) {
  const logs = ["deals_won", "average_check"].map((key) => {
    const [now, before] = [Number(values[key]?.value), Number(values[key]?.before)];
    return { key, log: now > 0 && before > 0 ? Math.log(now / before) : 0 };
  }).filter(({ log }) => Math.sign(log) === Math.sign(change));
  return logs.sort((a, b) => Math.abs(b.log) - Math.abs(a.log))[0]?.key ?? null;
}
