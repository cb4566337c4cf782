/** The installation page: what is being done, what is missing, then on into the app by itself. */

import { api, boot, bridge, lang, plural, t } from "../context.js";
import { poll } from "../api.js";
import { h, icon, replace } from "../dom.js";
import { percent } from "../format.js";
import { applyTheme } from "../period_bar.js";

const PATH = "/api/v1/install";
const GLYPHS = { done: "check", running: "wait", waiting: "dot", failed: "warn", missing: "warn" };
const LEAVE_S = 4; // long enough to see that something is missing, short enough not to be a step of its own
const root = document.getElementById("app");

let finishing = false;
let seen = null;
let left = null; // seconds until the app opens by itself; null: it is not counting
let stays = false;

applyTheme();
bridge.keepFitting();
void look();
const stop = poll(look, boot.poll_s ?? 1);

async function look() {
  const { body, changed } = await api.get(PATH);
  if (changed || !seen) draw(body);
  seen = body;
  if (!body.can_finish || stays || left !== null) return;
  if (lacking(body).length) countDown();
  else await finish();
}

/** What is missing is shown for a moment; the way into the app needs nobody's hand. */
function countDown() {
  left = LEAVE_S;
  draw(seen);
  const timer = setInterval(() => {
    if (left === null || finishing) return clearInterval(timer);
    left -= 1;
    if (left > 0) return tell();
    clearInterval(timer);
    return void finish();
  }, 1000);
}

function tell() {
  const said = root.querySelector("[data-key=left]");
  if (said) said.textContent = plural("setting_up.leaving", left);
}

function stay() {
  stays = true;
  left = null;
  draw(seen);
}

/** Tell the portal; it opens the app. Where it had been told before, the app's page is opened instead. */
async function finish() {
  if (finishing) return;
  finishing = true;
  stop();
  draw(seen ?? api.peek(PATH), true);
  const told = await bridge.finishInstall().catch(() => false);
  if (told || (await bridge.relaunch())) return;
  finishing = false;
  stay(); // outside a portal: the button can be tried again
}

async function repeat() {
  left = null;
  stays = false;
  if (lacking(seen).length) await bridge.reload(); // rights granted meanwhile come with a new launch
  draw({ ...seen, state: "running", error: null });
  draw(await api.post(PATH, {}));
}

function draw(progress, leaving = false) {
  const isDone = progress.state === "done";
  const missing = lacking(progress);
  replace(root,
    h("header", {},
      h("h1", {}, isDone && !missing.length ? t("install.finished") : t("install.title")),
      h("div", { class: progress.state === "failed" ? "meter bad" : "meter", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": String(Math.round(progress.progress * 100)), "aria-label": t("install.title") },
        h("i", { style: { width: `${progress.progress * 100}%` } })),
      progress.reading.complete ? null : h("p", {}, t("setting_up.reading", { share: percent(progress.reading.progress, lang) }))),
    h("ul", { class: "steps", "aria-label": t("install.title") }, progress.steps.map((step) =>
      line(step.state, step.title, step.total > 1 ? `${step.done} / ${step.total}` : ""))),
    h("section", { class: "group" }, h("h2", {}, t("setting_up.rights")),
      h("ul", { class: "steps" }, progress.scopes.map((scope) =>
        line(scope.granted ? "done" : "missing", scope.title, t(scope.granted ? "install.granted" : "install.missing"), scope.granted ? null : scope.lost)))),
    progress.placements.length ? h("section", { class: "group" }, h("h2", {}, t("setting_up.places")),
      h("ul", { class: "steps" }, progress.placements.map((place) => line(place.ok ? "done" : "failed", place.title, place.where, place.error)))) : null,
    (progress.notes ?? []).map((note) => h("p", { class: "notice warn" }, icon("warn"), h("span", { class: "grow" }, note))),
    h("footer", { class: "bar" },
      left !== null && !leaving ? h("p", { class: "grow", role: "timer", data: { key: "left" } }, plural("setting_up.leaving", left)) : null,
      progress.state === "failed" || missing.length ? h("button", { class: "button outlined", type: "button", data: { key: "repeat" }, onClick: repeat }, icon("retry"), t("install.repeat")) : null,
      isDone ? h("button", { class: `button primary ${leaving ? "busy" : ""}`, type: "button", data: { key: "go" }, onClick: finish }, t(missing.length && left === null ? "install.continue_anyway" : left === null ? "setting_up.open" : "setting_up.open_now")) : null,
      left !== null && !leaving ? h("button", { class: "button quiet", type: "button", data: { key: "stay" }, onClick: stay }, t("setting_up.stay")) : null));
  root.setAttribute("aria-busy", String(progress.state === "running"));
}

function lacking(progress) {
  return progress.scopes.filter((scope) => !scope.granted);
}

function line(state, title, aside, note = null) {
  return h("li", { data: { state } }, icon(GLYPHS[state] ?? "dot"), h("b", {}, title), h("span", { class: "aside number" }, aside ?? ""), note && h("p", {}, note));
}
