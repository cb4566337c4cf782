/** One sentence about a period, by rules. Pure. */

import { points, short } from "./format.js";

/**
 * The sentence, or "" if there is nothing to say. `values` by metric, `run` from periods.js `elapsed`, `basis`
 * the name of the period it is compared with.
 */
export function verdict(values, { run, basis, unit, how }) {
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
