/** The log: who changed or looked at what. */

import { api, boot, has, lang, t } from "../context.js";
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
      { name: t("admin.subject"), cell: (entry) => entry.subject_name ?? entry.subject },
      { name: t("admin.detail"), cell: (entry) => h("span", { class: "wrap aside" }, details(entry.detail)) },
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

function details(detail) {
  return Object.entries(detail ?? {}).map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
}
