/** The log: who changed or looked at what. */

import { api, boot, has, lang, metricOf, t } from "../context.js";
import { h, icon } from "../dom.js";
import { moment } from "../format.js";
import { labelled, loaded, select, table } from "./parts.js";

export function showAudit(box, page = 1, action = "") {
  void loaded(box, () => api.fresh(`/api/v1/audit?page=${page}${action ? `&action=${action}` : ""}`), (found) => h("section", { class: "panel" },
    h("div", { class: "panel-head" }, h("h2", {}, t("admin.tab.audit")), h("span", { class: "spring" }),
      labelled(t("admin.action"), select(action, [["", t("admin.every_action")], ...found.actions.map((one) => [one, told(one)])], (value) => showAudit(box, 1, value)))),
    table(t("admin.tab.audit"), [
      { name: t("admin.when"), cell: (entry) => moment(entry.at, { lang, timezone: boot.portal.timezone, now: new Date() }) },
      { name: t("admin.who"), cell: (entry) => entry.actor?.name || (entry.actor ? `#${entry.actor.id}` : t("admin.program")) },
      { name: t("admin.action"), cell: (entry) => told(entry.action) },
      { name: t("admin.subject"), cell: (entry) => entry.subject_name ?? subject(entry) },
      { name: t("admin.detail"), cell: (entry) => h("span", { class: "wrap aside" }, entry.action === "settings.changed" ? changes(entry.detail) : details(entry.detail)) },
    ], found.entries, t("admin.no_entries")),
    found.pages > 1 ? h("div", { class: "table-foot" }, h("span", { class: "pager" },
      h("button", { class: "icon-button", type: "button", disabled: page <= 1, "aria-label": t("records.page_before"), onClick: () => showAudit(box, page - 1, action) }, icon("left")),
      t("records.page", { page, pages: found.pages }),
      h("button", { class: "icon-button", type: "button", disabled: page >= found.pages, "aria-label": t("records.page_after"), onClick: () => showAudit(box, page + 1, action) }, icon("right")))) : null));
}

function told(action) {
  const key = `admin.audit.${action.replace(".", "_")}`;
  return has(key) ? t(key) : action;
}

/** Keys of settings, KPIs and lists as people call them. */
function subject(entry) {
  return entry.subject.split(", ").map((name) => (has(`admin.tab.${name}`) ? t(`admin.tab.${name}`) : has(`admin.field.${name}`) ? t(`admin.field.${name}`) : metricOf(name).name)).join(", ");
}

/** Before and after of the settings that are one value; lists of rules and rights are only named. */
function changes({ before = {}, after = {} } = {}) {
  const isPlain = (value) => typeof value !== "object" || value === null;
  return Object.keys(after).filter((name) => isPlain(before[name]) && isPlain(after[name])).map((name) => `${fieldName(name)}: ${plain(before[name])} → ${plain(after[name])}`).join("; ");
}

const UNTOLD = ["id", "scopes", "author", "kind"]; // numbers and codes of what the subject names

/** What an entry tells beside its subject. */
function details(detail) {
  return Object.entries(detail ?? {}).filter(([name]) => !UNTOLD.includes(name)).map(([name, value]) => `${fieldName(name)}: ${plain(value)}`).join("; ");
}

function fieldName(name) {
  const key = ["admin.said", "admin.field", "admin.column"].map((place) => `${place}.${name}`).find(has);
  return key ? t(key) : name;
}

function plain(value) {
  if (value === null || value === "") return "—";
  if (value === true || value === false) return t(value ? "record.yes" : "record.no");
  if (Array.isArray(value)) return value.length ? value.map(plain).join(", ") : "—";
  if (typeof value === "object") return Object.entries(value).map(([name, inner]) => `${fieldName(name)} ${plain(inner)}`).join(", ");
  return metricOf(value).name ?? String(value);
}
