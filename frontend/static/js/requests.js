/** Paths of the API, in the one order of parameters that the server uses for embedded answers too. Pure. */

/** Values of a scope. `period` is a query of periods.js. */
export function kpi(metrics, scope, period, { compare, by } = {}) {
  const parts = [`metric=${metrics.join(",")}`, `scope=${scope}`, period];
  if (compare) parts.push(`compare=${compare}`);
  if (by) parts.push(`by=${by}`);
  return `/api/v1/kpi?${parts.join("&")}`;
}

/** A trend: see periods.js `trend`. */
export function series(metrics, scope, { by, from, to }) {
  return kpi(metrics, scope, `from=${from}&to=${to}`, { by });
}

export function records(metric, scope, { from, to }, page) {
  return `/api/v1/kpi/records?metric=${metric}&scope=${scope}&from=${from}&to=${to}&page=${page}`;
}

export function exported(format, metrics, scope, period, { compare, by } = {}) {
  return kpi(metrics, scope, period, { compare, by }).replace("/api/v1/kpi?", `/api/v1/export.${format}?`);
}

export const org = "/api/v1/org";
export const sync = "/api/v1/sync";
export const card = (record) => `/api/v1/cards/${record}`;
export const deal = (id) => `/api/v1/deals/${id}`;

/** Why the won amount changed, and the deals that moved it most. */
export function why(scope, period, compare) {
  return `/api/v1/why?scope=${scope}&${period}&compare=${compare}`;
}

export function moved(scope, period, compare) {
  return why(scope, period, compare).replace("/why?", "/why/records?");
}

/** The grid of a metric's targets; months are `2026-01`, `to` exclusive. */
export function targets(metric, scope, from, to) {
  return `/api/v1/targets?metric=${metric}&scope=${scope}&from=${from}&to=${to}`;
}

export function proposals(metric, scope, month, how, percent = null) {
  return `/api/v1/targets/proposals?metric=${metric}&scope=${scope}&month=${month}&how=${how}${percent === null ? "" : `&percent=${percent}`}`;
}

export function targetHistory(metric, scope) {
  return `/api/v1/targets/history?metric=${metric}&scope=${scope}`;
}

/** The KPI set by which a scope is looked at on a day. */
export function appliedSet(scope, day) {
  return `/api/v1/sets/applied?scope=${scope}&day=${day}`;
}

export const notes = (scope) => `/api/v1/notes?scope=${scope}`;
export const score = (scope, period) => `/api/v1/score?scope=${scope}&${period}`;
export const rank = (metric, scope, period) => `/api/v1/rank?metric=${metric}&scope=${scope}&${period}`;
