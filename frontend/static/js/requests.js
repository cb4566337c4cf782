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
export const deal = (id) => `/api/v1/deals/${id}`;
