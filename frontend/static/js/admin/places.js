/** Where to find the app: sketches of the three places that people look at most, and a word to the heads. */

import { api, boot, plural, t } from "../context.js";
import { h, icon, replace, svg } from "../dom.js";
import { labelled, panel, problem, tick } from "./parts.js";

const MOST = 50; // people at a time
const TEXT_LIMIT = 2000;

/** `{installation, org}`: bodies of /api/v1/install and /api/v1/org. */
export const load = async () => ({ installation: await api.fresh("/api/v1/install"), org: await api.fresh("/api/v1/org") });

export function places({ installation, org }) {
  const { placements, scopes } = installation;
  const titles = Object.fromEntries(placements.filter(({ ok }) => ok).map(({ code, title }) => [code, title]));
  return [
    panel(t("setting_up.places"), null,
      h("ul", { class: "sketches" }, SKETCHES.filter(({ code }) => titles[code]).map(({ code, key, draw }) => h("li", {}, draw(), h("b", {}, t(`admin.place.${key}.title`)), h("p", {}, t(`admin.place.${key}.text`, { title: titles[code] }))))),
      h("details", {}, h("summary", {}, t("admin.place.all")),
        h("ul", { class: "steps" }, placements.map((place) => h("li", { data: { state: place.ok ? "done" : "failed" } }, icon(place.ok ? "check" : "warn"), h("b", {}, place.title), h("span", { class: "aside" }, place.where)))))),
    notice(org, scopes.find(({ key }) => key === "im")),
  ];
}

/** The form that tells the heads; `scope` is the right that it needs. */
function notice(org, scope) {
  const heads = headsOf(org);
  if (!heads.length) return panel(t("admin.notice.title"), null, h("p", {}, t("admin.notice.no_heads")));
  const chosen = new Set(heads.slice(0, MOST).map(({ id }) => id));
  const text = h("textarea", { class: "field", rows: "6", maxlength: String(TEXT_LIMIT) });
  text.value = [t("admin.notice.text"), boot.portal.link].filter(Boolean).join("\n");
  const note = h("div", { class: "outcome", role: "status" });
  const button = h("button", { class: "button primary", type: "button", data: { key: "invite" }, onClick: () => void send() }, icon("people"), t("admin.notice.send"));
  const changed = () => { button.disabled = !chosen.size || chosen.size > MOST || !text.value.trim(); };
  text.addEventListener("input", changed);

  async function send() {
    button.classList.add("busy");
    replace(note);
    try {
      replace(note, outcome(await api.post("/api/v1/notices", { users: [...chosen], text: text.value }), scope));
    } catch (error) {
      if (!("status" in error)) throw error;
      replace(note, line("warn", error.numbered(problem(error))));
    }
    button.classList.remove("busy");
  }

  return panel(t("admin.notice.title"), null,
    h("p", {}, t("admin.notice.hint")),
    scope?.granted === false ? line("warn", t("admin.notice.missing_scope", { scope: scope.key, title: scope.title })) : null,
    h("fieldset", { class: "limited" }, h("legend", {}, t("admin.notice.whom")),
      h("div", { class: "ticks" }, heads.map((one) => tick(one.name, chosen.has(one.id), (on) => { chosen[on ? "add" : "delete"](one.id); changed(); }, one.departments)))),
    labelled(t("admin.notice.message"), text),
    h("div", { class: "save-line" }, button, note));
}

/** Who heads a department, apart from whoever looks: `{id, name, departments}`, by name. */
function headsOf(org) {
  return org.employees.filter(({ id, active }) => active && id !== boot.viewer.id)
    .map(({ id, name }) => ({ id, name, departments: org.departments.filter((one) => one.head_id === id).map((one) => one.name).join(", ") }))
    .filter(({ departments }) => departments);
}

function outcome({ sent, failed, missing_scope: missing }, scope) {
  return [
    sent.length ? line("check", plural("admin.notice_sent", sent.length)) : null,
    missing ? line("warn", t("admin.notice.missing_scope", { scope: missing, title: scope?.title ?? missing })) : null,
    failed.filter(({ reason }) => reason !== "missing_scope").map(({ name, reason }) => line("warn", `${name}: ${t(`admin.notice.${reason}`)}`)),
  ];
}

function line(glyph, text) {
  return h("p", { class: "notice-line", data: { state: glyph === "check" ? "done" : "failed" } }, icon(glyph), h("span", {}, text));
}

/** A rectangle of a sketch: `x, y, width, height`, its class, the radius of its corners. */
const box = (x, y, width, height, name, rx = 3) => svg("rect", { x, y, width, height, rx, class: name });
const sketch = (...shapes) => svg("svg", { class: "sketch", viewBox: "0 0 240 132", "aria-hidden": "true" }, box(0, 0, 240, 132, "ground", 8), ...shapes);
const rows = (x, y, width, count, step) => Array.from({ length: count }, (_, place) => box(x, y + place * step, width - (place % 3) * 6, 6, "quiet"));

function leftMenu() {
  return sketch(box(0, 0, 70, 132, "surface", 8), rows(12, 14, 46, 3, 16), svg("path", { d: "m12 66 4 4 4-4", class: "stroke" }), box(25, 64, 33, 6, "strong"),
    box(6, 78, 58, 18, "soft", 5), box(14, 84, 42, 6, "mark"), rows(12, 106, 46, 1, 16), box(82, 12, 70, 8, "strong"), box(82, 30, 146, 42, "surface", 5), box(82, 80, 146, 40, "surface", 5));
}

function dealCard() {
  return sketch(box(12, 12, 96, 8, "strong"), box(12, 30, 216, 10, "quiet", 5), [12, 56, 100, 188].map((x) => box(x, 54, 32, 6, "quiet")),
    box(140, 47, 38, 20, "soft", 5), box(147, 54, 24, 6, "mark"), box(140, 67, 38, 2, "mark", 1), box(12, 76, 100, 46, "surface", 5), box(120, 76, 108, 46, "surface", 5));
}

function personCard() {
  return sketch(svg("circle", { cx: 34, cy: 34, r: 20, class: "quiet" }), box(64, 22, 84, 8, "strong"), box(64, 38, 56, 6, "quiet"), box(12, 68, 112, 54, "surface", 5),
    box(198, 16, 30, 16, "surface", 5), [206, 213, 220].map((cx) => svg("circle", { cx, cy: 24, r: 1.8, class: "strong" })),
    box(138, 38, 90, 66, "surface", 5), rows(148, 48, 64, 1, 16), box(142, 60, 82, 18, "soft", 5), box(150, 66, 62, 6, "mark"), rows(148, 88, 64, 1, 16));
}

const SKETCHES = [
  { code: "LEFT_MENU", key: "menu", draw: leftMenu },
  { code: "CRM_DEAL_DETAIL_TAB", key: "deal", draw: dealCard },
  { code: "USER_PROFILE_TOOLBAR", key: "person", draw: personCard },
];
