/** The first run: the same forms, one after another; every step can be left out. */

import { api, lang, plural, t } from "../context.js";
import { h, icon, replace } from "../dom.js";
import { percent } from "../format.js";
import { showFunctions } from "./functions.js";
import { loaded, panel } from "./parts.js";
import { load as loadPlaces, places } from "./places.js";
import { counting, general, load, support } from "./settings.js";

const STEPS = ["check", "functions", "meanings", "support", "targets", "import", "places"];

export function showFirstRun(root, { onTab, onPlan, onClose }, at = 0) {
  const box = h("div", { class: "admin-body" });
  const go = (place) => showFirstRun(root, { onTab, onPlan, onClose }, place);
  replace(root,
    h("header", { class: "bar" }, h("h1", {}, t("admin.first_run")), h("span", { class: "spring" }), h("button", { class: "button quiet", type: "button", data: { key: "leave-run" }, onClick: onClose }, t("admin.leave_run"))),
    h("ol", { class: "run-steps", "aria-label": t("admin.first_run") }, STEPS.map((step, place) => h("li", { "aria-current": place === at ? "step" : null, class: place < at ? "done" : "" }, h("button", { type: "button", onClick: () => go(place) }, h("span", {}, String(place + 1)), t(`admin.run.${step}`))))),
    box,
    h("footer", { class: "bar" },
      at > 0 ? h("button", { class: "button outlined", type: "button", data: { key: "run-back" }, onClick: () => go(at - 1) }, t("admin.back")) : null,
      h("span", { class: "spring" }),
      at < STEPS.length - 1
        ? h("button", { class: "button primary", type: "button", data: { key: "run-next" }, onClick: () => go(at + 1) }, t("admin.next"))
        : h("button", { class: "button primary", type: "button", data: { key: "run-done" }, onClick: onClose }, t("admin.to_numbers"))));
  const step = STEPS[at];
  if (step === "check") void loaded(box, () => api.fresh("/api/v1/install"), rights);
  else if (step === "places") void loaded(box, loadPlaces, places);
  else if (step === "functions") showFunctions(box, { onTab });
  else if (step === "targets") replace(box, targets(onPlan));
  else if (step === "import") void loaded(box, () => api.fresh("/api/v1/sync"), (sync) => reading(sync, onTab));
  else void loaded(box, load, (found) => (step === "support" ? [support(found)] : [general(found), counting(found)]));
}

function rights(found) {
  const missing = found.scopes.filter(({ granted }) => !granted);
  return panel(t("setting_up.rights"), missing.length ? plural("admin.missing_rights", missing.length) : t("admin.all_rights"),
    h("ul", { class: "steps" }, found.scopes.map((scope) => h("li", { data: { state: scope.granted ? "done" : "missing" } }, icon(scope.granted ? "check" : "warn"), h("b", {}, scope.title), h("span", { class: "aside" }, t(scope.granted ? "admin.granted" : "admin.missing")), scope.granted ? null : h("p", {}, scope.lost)))));
}

function targets(onPlan) {
  return panel(t("admin.run.targets"), null, h("p", {}, t("admin.hint.targets")), h("button", { class: "button outlined", type: "button", data: { key: "run-plan" }, onClick: onPlan }, icon("flag"), t("plan.title")));
}

function reading(sync, onTab) {
  return panel(t("admin.run.import"), sync.complete ? t("setup.complete") : percent(sync.progress, lang),
    h("p", {}, t("admin.hint.import")),
    h("div", { class: "meter", role: "progressbar", "aria-label": t("notice.progress"), "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": String(Math.round(sync.progress * 100)) }, h("i", { style: { width: `${sync.progress * 100}%` } })),
    h("button", { class: "button quiet inline", type: "button", onClick: () => onTab("health") }, t("admin.tab.health")));
}
