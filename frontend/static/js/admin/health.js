/** The state of the data: every source, how far it is read, when, and what went wrong. */

import { api, boot, has, lang, t } from "../context.js";
import { h, icon } from "../dom.js";
import { moment, percent } from "../format.js";
import { notices, portalError, sourceName } from "../notices.js";
import { loaded, table } from "./parts.js";

const GLYPHS = { ready: "check", reading: "wait", pending: "dot", off: "warn" };
const TONES = { ready: "good", off: "warn" };

export function showHealth(box) {
  void loaded(box, () => api.fresh("/api/v1/sync"), (sync) => [
    notices({ answer: null, error: null, sync, onRetry: () => showHealth(box) }),
    h("section", { class: "panel health" },
      h("div", { class: "panel-head" }, h("h2", {}, t("setup.title")), h("span", { class: "aside" }, sync.complete ? t("setup.complete") : percent(sync.progress, lang)),
        h("span", { class: "spring" }), h("button", { class: "button small", type: "button", data: { key: "health-again" }, onClick: () => showHealth(box) }, icon("retry"), t("admin.look_again"))),
      table(t("setup.title"), [
        { name: t("admin.health.source"), cell: (source) => h("b", { class: "source" }, sourceName(source.source, sync.titles)) },
        { name: t("admin.health.state"), cell: state },
        { name: t("admin.health.rows"), isNumber: true, cell: (source) => (source.rows === null ? "—" : number(source.rows)) },
        { name: t("admin.health.since"), cell: (source) => (source.covered_from ? day(source.covered_from) : source.state === "ready" ? t("admin.health.all") : "—") },
        { name: t("admin.health.read_at"), cell: (source) => (source.read_at ? at(source.read_at) : "—") },
        ...(sync.sources.some((source) => source.reason || source.error) ? [{ name: t("admin.health.trouble"), cell: (source) => trouble(source) }] : []),
        { name: t("admin.health.operating"), cell: (source) => (source.methods ?? []).map((method) => operating(method, sync.limits)) },
      ], sync.sources, "")),
    sync.limits ? limits(sync.limits) : null,
    comparison(sync.comparison, sync.titles),
  ].filter(Boolean));
}

/** What the portal's limits leave: requests at once, and the methods that it refuses for now. */
function limits(found) {
  const { bucket, requests } = found;
  const blocked = found.methods.filter((method) => method.blocked_until);
  return h("section", { class: "panel", data: { block: "limits" } },
    h("div", { class: "panel-head" }, h("h2", {}, t("admin.health.limits")), h("span", { class: "aside" }, t("admin.health.window"))),
    h("div", { class: "panel-body admin-form" },
      h("div", { class: "fields" },
        h("div", { class: "usage" }, h("span", {}, t("admin.health.bucket")), bucket
          ? [h("b", {}, t("admin.health.of_bucket", { used: number(bucket.used), capacity: number(bucket.capacity) })), meter(bucket.used / bucket.capacity), h("small", {}, t("admin.health.drain", { rate: number(bucket.per_second) }))]
          : h("b", {}, t("admin.health.no_bucket"))),
        h("div", { class: "usage" }, h("span", {}, t("admin.health.requests")), h("b", {}, number(requests)))),
      blocked.map((one) => h("p", { class: "warn-line" }, icon("warn"), t("admin.health.blocked", { method: one.method === "*" ? t("admin.health.all_methods") : one.method, time: at(one.blocked_until) }))),
      h("p", { class: "aside" }, t("admin.health.limits_hint", { limit: number(found.operating_limit_s) }), found.is_shared ? "" : ` ${t("admin.health.not_shared")}`)));
}

/** How much of a method's operating time is used. */
function operating(method, found) {
  const used = found.methods.find((one) => one.method === method)?.used_s ?? 0;
  return h("div", { class: "usage" }, h("code", {}, method),
    h("small", {}, t("admin.health.used", { used: number(used), limit: number(found.operating_limit_s) })), meter(used / found.operating_limit_s));
}

/** A bar beside a text that says the same. */
function meter(share) {
  return h("span", { class: `meter thin ${share >= 0.85 ? "warn" : ""}`, "aria-hidden": "true" }, h("i", { style: { width: `${Math.min(share, 1) * 100}%` } }));
}

function number(value) {
  return new Intl.NumberFormat(lang, { maximumFractionDigits: 1 }).format(value);
}

function at(time) {
  return moment(time, { lang, timezone: boot.portal.timezone, now: new Date() });
}

/** What the last nightly comparison found: months that held other numbers of records than the portal, and the repair. */
function comparison(found, titles) {
  const count = (value) => (value === null ? "—" : number(value));
  const said = found.at ? at(found.at) : "";
  return h("section", { class: "panel" },
    h("div", { class: "panel-head" }, h("h2", {}, t("admin.health.compared")), h("span", { class: "aside" }, said)),
    found.at && !found.is_whole ? h("p", { class: "wrap" }, t("admin.health.going_on"), found.error ? ` ${t("admin.health.failed", { reason: portalError(found.error) })}` : "") : null,
    table(t("admin.health.compared"), [
      { name: t("admin.health.source"), cell: (one) => h("b", { class: "source" }, sourceName(one.source, titles)) },
      { name: t("admin.health.month"), cell: (one) => (one.month ? month(one.month) : t("admin.health.all")) },
      { name: t("admin.health.in_portal"), isNumber: true, cell: (one) => count(one.in_portal) },
      { name: t("admin.health.here"), isNumber: true, cell: (one) => count(one.stored) },
      { name: t("admin.health.repaired"), isNumber: true, cell: (one) => count(one.repaired) },
    ], found.differences ?? [], found.at ? t("admin.health.same") : t("admin.health.not_compared")));
}

function month(text) {
  return new Intl.DateTimeFormat(lang, { month: "long", year: "numeric", timeZone: "UTC" }).format(new Date(`${text}-01T00:00:00Z`));
}

function state(source) {
  const text = source.state === "reading" ? `${t("admin.health.reading")} ${percent(source.progress, lang)}` : t(`setup.${source.state}`);
  return h("span", { class: `status ${TONES[source.state] ?? ""}` }, icon(GLYPHS[source.state] ?? "dot"), text);
}

function trouble(source) {
  if (source.reason) return h("span", { class: "wrap" }, has(`state.${source.reason}`) ? t(`state.${source.reason}`) : source.reason);
  return source.error ? h("span", { class: "wrap" }, t("admin.health.failed", { reason: portalError(source.error) })) : "";
}

function day(text) {
  return new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeZone: "UTC" }).format(new Date(`${text}T00:00:00Z`));
}
