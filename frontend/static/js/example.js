/** Invented numbers: what a KPI looks like before the portal has any. Pure. */

const VALUES = { // money in the portal's currency, seconds, ratios as parts of one, counts
  revenue: 1240000, deals_won: 18, win_rate: 0.42, average_check: 68900, processing_time: 1036800, repeat_sales_rate: 0.35,
  funnel_conversion: 0.12, leads_new: 146, lead_conversion: 0.31, cac: 9400, channel_roi: 2.4, engagement_rate: 0.27,
  click_rate: 0.034, site_visits: 3850, first_response_time: 260, csat: 0.91, fcr: 0.84, resolution_time: 8100,
  calls_missed_rate: 0.06, cases: 94, on_time_rate: 0.88, tasks_done: 63, rework_rate: 0.07, task_rating: 0.93,
  budget_deviation: 0.08, utilization: 0.74, resource_plan: 0.96, pipeline_open: 5600000, deals_lost: 24,
  activities_done: 312, activities_overdue: 9, deals_idle: 6, calls_out: 184, calls_in: 121, talk_time: 54000, meetings: 22,
  emails_sent: 97, email_open_rate: 0.46,
};
const PLACES = 12;
const DENOMINATOR = 50;
const TARGET = 1.25; // of the value: the month is not over
const SHARES = [0.34, 0.27, 0.22, 0.17];

/** An invented value of a KPI, in the unit of its answers. */
export function exampleValue(key) {
  return VALUES[key] ?? 12;
}

/** Twelve invented values, oldest first; the last one is `exampleValue`. KPIs differ in how they went. */
export function examplePoints(key) {
  const wave = (place) => 0.7 + 0.3 * (place / (PLACES - 1)) + 0.07 * Math.sin(1.4 * place + key.length);
  return Array.from({ length: PLACES }, (_, place) => (exampleValue(key) * wave(place)) / wave(PLACES - 1));
}

/**
 * Answers like those of the server, all invented, in the place of `answer`, which has no number yet: `{now, series,
 * org}`. `metrics` are those of the catalogue, `pieces` the keys of the trend, `names` of four invented people;
 * null without people. `run` is how far the period has run.
 */
export function exampleAnswers({ answer, metrics, pieces, names, run }) {
  const blank = { numerator: null, denominator: null, reason: null, provisional: false, few_data: false, target: null, attainment: null, pace: null, forecast: null, status: null, before: null, change: null, left_out: [] };
  const people = names?.map((name, place) => ({ id: -1 - place, scope: `example:${place}`, name, position: "", active: true, department_ids: [], departments: [] })) ?? [];
  const written = (value, metric) => String(isPart(metric) ? Math.round(value * 10000) / 10000 : Math.round(value));

  function value(metric) {
    const now = exampleValue(metric.key);
    const found = { ...blank, metric: metric.key, unit: metric.unit, value: written(now, metric), before: written(now / (1 + grown(metric.key)), metric), change: isPart(metric) ? null : String(grown(metric.key)) };
    if (isPart(metric)) Object.assign(found, { numerator: Math.round(now * DENOMINATOR), denominator: DENOMINATOR });
    if (metric.key === "revenue" || metric.key === "deals_won") Object.assign(found, planned(now));
    if (people.length) found.rows = people.map((person, place) => ({ ...blank, key: person.scope, ...shareOf(metric, now, place) }));
    return found;
  }

  function planned(now) {
    const target = Math.round(now * TARGET);
    const pace = Math.round(target * (run ? run.day / run.days : 1));
    return { target: String(target), attainment: String(now / target), pace: String(pace), status: now >= pace ? "met" : "near" };
  }

  function shareOf(metric, now, place) {
    const share = isPart(metric) || metric.is_mean ? 0.9 + SHARES[place] / 2 : SHARES[place];
    const own = { value: written(now * share, metric), denominator: isPart(metric) ? DENOMINATOR : null };
    return metric.key === "revenue" || metric.key === "deals_won" ? { ...own, ...planned(now * share) } : own;
  }

  const kept = { ...answer, as_of: null, is_example: true };
  return {
    now: { ...kept, values: metrics.map(value) },
    series: { ...kept, values: metrics.map((metric) => ({ ...blank, metric: metric.key, unit: metric.unit, rows: examplePoints(metric.key).map((point, place) => ({ key: pieces[place], value: written(point, metric) })) })) },
    people,
  };
}

/** True while the portal is being read and no number of the answer is there yet. */
export function hasNoNumberYet(answer) {
  return answer?.complete === false && answer.values.length > 0 && answer.values.every((one) => one.value === null && one.reason === "not_synced");
}

/** By how much an invented value has grown, as a part of one. */
function grown(key) {
  return ((key.length * 7) % 23) / 100 - 0.04;
}

function isPart(metric) {
  return metric.unit === "ratio";
}
