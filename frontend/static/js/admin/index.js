/** The setup, for admins: tabs over the forms, and the same forms as steps of a first run. */

import { t } from "../context.js";
import { h, icon, replace } from "../dom.js";
import { showAudit } from "./audit.js";
import { showClients } from "./clients.js";
import { showEntries } from "./entries.js";
import { showHealth } from "./health.js";
import { showFirstRun } from "./first_run.js";
import { showSets } from "./sets.js";
import { showChannels } from "./channels.js";
import { showSettings } from "./settings.js";

const TABS = {
  health: showHealth,
  settings: showSettings,
  sets: showSets,
  channels: showChannels,
  costs: (box) => showEntries(box, "costs"),
  campaigns: (box) => showEntries(box, "campaigns"),
  clients: showClients,
  audit: showAudit,
};

/** Draw the setup into a box. `tab` is the open one, `onTab` remembers another, `onPlan` opens the plan, `onClose` leads back. */
export function showAdmin(root, { tab, onTab, onPlan, onClose }) {
  if (tab === "start") return showFirstRun(root, { onTab, onPlan, onClose });
  const open = tab in TABS ? tab : "health";
  const box = h("div", { class: "admin-body", role: "tabpanel", id: "admin-panel", "aria-labelledby": `admin-tab-${open}` });
  replace(root,
    h("header", { class: "bar" },
      h("button", { class: "button icon", type: "button", "aria-label": t("action.back"), title: t("action.back"), data: { key: "admin-back" }, onClick: onClose }, icon("left")),
      h("h1", {}, t("admin.title")), h("span", { class: "spring" }),
      h("button", { class: "button", type: "button", data: { key: "first-run" }, onClick: () => onTab("start") }, icon("spark"), t("admin.first_run"))),
    h("nav", { class: "tabs", role: "tablist", "aria-label": t("admin.title"), onKeydown: (event) => move(event) },
      Object.keys(TABS).map((key) => h("button", {
        type: "button", role: "tab", id: `admin-tab-${key}`, "aria-selected": String(key === open), "aria-controls": "admin-panel", tabindex: key === open ? "0" : "-1",
        data: { key: `tab-${key}` }, onClick: () => onTab(key),
      }, t(`admin.tab.${key}`)))),
    box);
  TABS[open](box);
  return undefined;

  function move(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const keys = Object.keys(TABS);
    event.preventDefault();
    const next = keys[(keys.indexOf(open) + step + keys.length) % keys.length];
    onTab(next);
    queueMicrotask(() => document.getElementById(`admin-tab-${next}`)?.focus());
  }
}
