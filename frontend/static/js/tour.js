/** A tour of three points over the page: by itself once for every person, after the first number; again from "?". */

import { boot, bridge, t } from "./context.js";
import { h, icon, replace } from "./dom.js";
import { announce } from "./screen.js";

const OPTION = "tour"; // among the viewer's own options of the app on the portal
const KEY = `b24app-tour:${boot.portal?.member_id}:${boot.viewer?.id}`;
const GAP = 12;
const MARGIN = 8;

/** What is pointed at: the first point of a page that has it says the text. */
const POINTS = [
  [["card", ".block-cards .card:has(.card-open)"]],
  [["period", ".page-bar .choices"]],
  [["people", ".block-people .panel-head"], ["trend", ".block-charts .panel-head"]],
];

let open = null; // {box, ring, stop}
let isOffered = false;

/** Begin by itself, unless this person has seen it. It takes no focus and scrolls nowhere: people are at work. */
export async function offerTour() {
  if (isOffered) return;
  isOffered = true;
  if (!(await wasSeen()) && !open && points().length) {
    startTour(false);
    announce(t("tour.began"));
  }
}

/** Begin at the first point; `isAsked` where the person has asked for it. */
export function startTour(isAsked = true) {
  endTour();
  const box = h("section", { class: "tour", role: "dialog", "aria-labelledby": "tour-title", "aria-describedby": "tour-text", tabindex: "-1" });
  const ring = h("div", { class: "tour-ring", "aria-hidden": "true" });
  const onKey = (event) => event.key === "Escape" && !isCovered() && endTour();
  const again = () => place();
  const watcher = new ResizeObserver(again);
  document.body.append(ring, box);
  document.addEventListener("keydown", onKey);
  window.addEventListener("resize", again);
  watcher.observe(document.getElementById("app"));
  open = { box, ring, at: 0, stop: () => {
    watcher.disconnect();
    document.removeEventListener("keydown", onKey);
    window.removeEventListener("resize", again);
    ring.remove();
    box.remove();
  } };
  show(isAsked);
  void remember();
}

/** Skip the rest. The focus goes back to "?" if it was inside. */
export function endTour() {
  if (!open) return;
  const hadFocus = open.box.contains(document.activeElement);
  open.stop();
  open = null;
  if (hadFocus) document.querySelector("[data-key=tour]")?.focus({ preventScroll: true });
}

function show(isAsked) {
  const found = points();
  const point = found[open.at];
  if (!point) return endTour();
  const isLast = open.at === found.length - 1;
  replace(open.box,
    h("p", { class: "aside" }, t("tour.count", { n: open.at + 1, of: found.length })),
    h("h2", { id: "tour-title" }, t(`tour.${point.key}.title`)),
    h("p", { id: "tour-text" }, t(`tour.${point.key}.text`)),
    h("div", { class: "tour-buttons" },
      isLast ? null : h("button", { class: "button quiet", type: "button", data: { key: "tour-skip" }, onClick: endTour }, t("tour.skip")),
      h("button", { class: "button primary", type: "button", data: { key: "tour-next" }, onClick: () => { open.at += 1; show(true); } }, isLast ? icon("check") : null, t(isLast ? "tour.done" : "tour.next"))));
  place();
  if (!isAsked) return undefined;
  open.box.focus({ preventScroll: true });
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  open.box.scrollIntoView({ block: "center", behavior: isCalm ? "auto" : "smooth" });
  return undefined;
}

/** The points that the page has now: `{key, target}`. It may be drawn anew at any moment. */
function points() {
  return POINTS.map((places) => {
    for (const [key, selector] of places) {
      const target = document.querySelector(selector);
      if (target?.offsetParent) return { key, target };
    }
    return null;
  }).filter(Boolean);
}

/** Below what it is about, above where the page ends; never past the sides of the frame. */
function place() {
  const target = open && points()[open.at]?.target;
  if (!target) return;
  const { box, ring } = open;
  const about = target.getBoundingClientRect();
  const [top, left] = [about.top + window.scrollY, about.left + window.scrollX];
  const below = top + about.height + GAP;
  const above = top - GAP - box.offsetHeight;
  const fits = below + box.offsetHeight + MARGIN <= Math.max(document.body.offsetHeight, window.innerHeight);
  const most = document.documentElement.clientWidth - box.offsetWidth - MARGIN;
  put(box, { top: fits || above < MARGIN ? below : above, left: Math.max(MARGIN, Math.min(left + about.width / 2 - box.offsetWidth / 2, most)) });
  put(ring, { top: top - 4, left: left - 4, width: about.width + 8, height: about.height + 8 });
}

function put(element, place) {
  for (const [name, px] of Object.entries(place)) element.style[name] = `${px}px`;
}

/** True while a drawer lies over the page: Escape is for the drawer then. */
function isCovered() {
  return document.getElementById("app").inert;
}

/** Frames of other sites may have no storage, people have several browsers: the portal keeps it for the person too. */
async function wasSeen() {
  try {
    if (localStorage.getItem(KEY)) return true;
  } catch { /* the portal knows */ }
  const said = await bridge.call("user.option.get", { option: OPTION }).catch(() => null);
  return Boolean(said?.result);
}

async function remember() {
  try {
    if (localStorage.getItem(KEY)) return;
    localStorage.setItem(KEY, "1");
  } catch { /* the portal keeps it */ }
  await bridge.call("user.option.set", { options: { [OPTION]: "seen" } }).catch(() => null); // then it comes once more
}
