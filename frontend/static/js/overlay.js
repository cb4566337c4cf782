/** A drawer over the page. Inside a frame as high as its content "the screen" is the part that can be seen. */

import { bridge, t } from "./context.js";
import { h, icon } from "./dom.js";

const FOCUSABLE = 'button:not([disabled]), a[href], input, select, textarea, summary, [tabindex="0"]';
const MARGIN = 8;
const LEAST_HEIGHT = 420;
const LOOK_EVERY_MS = 250;

let close = null;

/** Open a drawer; the focus goes in, comes back on closing. One at a time. Returns its `close`. */
export function openDrawer({ title, body, footer, wide = false, className = "", onClose = null }) {
  close?.();
  const from = document.activeElement;
  const heading = `drawer-${Date.now()}`;
  const drawer = h("div", { class: `drawer ${wide ? "wide" : ""} ${className}`, role: "dialog", "aria-modal": "true", "aria-labelledby": heading, tabindex: "-1" },
    h("header", {}, h("h2", { id: heading }, title),
      h("button", { class: "icon-button", type: "button", "aria-label": t("action.close"), onClick: () => close?.() }, icon("close"))),
    h("div", { class: "drawer-body" }, body),
    footer?.length ? h("footer", {}, footer) : null);
  const veil = h("div", { class: "veil", onClick: () => close?.() });
  const page = document.getElementById("app");

  const onKey = (event) => {
    if (event.key === "Escape") close?.();
    if (event.key === "Tab") keepInside(event, drawer);
  };
  document.addEventListener("keydown", onKey);
  document.body.append(veil, drawer);
  document.body.style.minHeight = `${LEAST_HEIGHT}px`;
  page.inert = true;
  const stopPlacing = keepInSight(drawer);
  drawer.focus({ preventScroll: true });
  void bridge.fit();

  close = () => {
    close = null;
    stopPlacing();
    document.removeEventListener("keydown", onKey);
    page.inert = false;
    document.body.style.minHeight = "";
    veil.remove();
    drawer.remove();
    opener(from)?.focus({ preventScroll: true });
    onClose?.();
  };
  return close;
}

/** What the drawer was opened from; the page may have been drawn anew meanwhile. */
function opener(from) {
  if (from?.isConnected) return from;
  return from?.dataset?.key ? document.querySelector(`[data-key="${CSS.escape(from.dataset.key)}"]`) : null;
}

/** A short message at the bottom of what can be seen. */
export async function toast(text) {
  const sight = await visiblePart();
  const box = h("div", { class: "toast", role: "status" }, text);
  document.body.append(box);
  box.style.top = `${sight.top + sight.height - box.offsetHeight - 16}px`;
  setTimeout(() => box.remove(), 4000);
}

/** The part of the document that is on the screen, in its own pixels. */
function visiblePart() {
  return new Promise((resolve) => {
    // Only an observer knows about the portal's scrolling: a frame of another origin cannot ask.
    const observer = new IntersectionObserver(([entry]) => {
      observer.disconnect();
      const seen = entry.intersectionRect;
      resolve(seen.height > 0
        ? { top: seen.top + window.scrollY, height: seen.height }
        : { top: window.scrollY, height: window.innerHeight });
    });
    observer.observe(document.documentElement);
  });
}

function keepInSight(drawer) {
  async function place() {
    const seen = await visiblePart();
    const top = seen.top + MARGIN;
    const height = Math.max(seen.height - 2 * MARGIN, Math.min(LEAST_HEIGHT, document.body.scrollHeight) - 2 * MARGIN);
    drawer.style.top = `${Math.max(0, Math.min(top, document.body.scrollHeight - height - MARGIN))}px`;
    drawer.style.maxHeight = `${height}px`;
    drawer.style.height = `${height}px`;
  }
  void place();
  const timer = setInterval(() => void place(), LOOK_EVERY_MS);
  return () => clearInterval(timer);
}

function keepInside(event, drawer) {
  const stops = [...drawer.querySelectorAll(FOCUSABLE)].filter((stop) => stop.offsetParent);
  const [first, last] = [stops[0], stops.at(-1)];
  const at = document.activeElement;
  if (event.shiftKey && (at === first || at === drawer)) {
    event.preventDefault();
    last?.focus();
  } else if (!event.shiftKey && at === last) {
    event.preventDefault();
    first?.focus();
  }
}
