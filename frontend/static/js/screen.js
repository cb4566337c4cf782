/** A page of answers: which requests it needs now, drawing as they come, asking again while it is seen. */

import { ApiError, poll } from "./api.js";
import { api, bridge, boot, lang, t } from "./context.js";
import { replace } from "./dom.js";
import { moment } from "./format.js";
import { age } from "./value_state.js";

const SLOW_MS = 3000;
const FIRST_LOOK_S = 1; // the page came with numbers; opening it has made the app ask the portal

/**
 * Keep a page up to date. `needs()` gives paths by name, the first one is watched; `draw(answers)` draws what
 * is there: `{name: {body, error, busy}}`. Returns `{refresh}` for when the choices have changed.
 */
export function screen({ needs, draw }) {
  const held = {}; // name → {path, body, error, busy}
  let main = null;

  async function load(name, path, again = false) {
    const slot = (held[name] ??= {});
    if (slot.path === path && !again) return false;
    if (slot.path !== path) Object.assign(slot, { path, busy: true, since: Date.now() });
    let changed = true;
    try {
      const answer = await api.get(path);
      if (slot.path !== path) return false;
      changed = answer.changed || slot.busy || slot.error;
      Object.assign(slot, { body: answer.body, error: null, busy: false });
    } catch (error) {
      if (slot.path !== path) return false;
      if (!(error instanceof ApiError)) throw error;
      Object.assign(slot, { error, busy: false });
      if (again) {
        paint();
        throw error;
      }
    }
    paint();
    return changed;
  }

  function refresh() {
    const wanted = needs();
    main = Object.keys(wanted)[0];
    for (const name of Object.keys(held)) if (!wanted[name]) delete held[name];
    const jobs = Object.entries(wanted).map(([name, path]) => load(name, path));
    paint();
    setTimeout(paint, SLOW_MS + 50); // "still counting" appears for whoever waits
    return Promise.all(jobs);
  }

  function paint() {
    draw(held);
    document.getElementById("app").setAttribute("aria-busy", String(Object.values(held).some((slot) => slot.busy)));
    refreshAges(held[main]?.body);
  }

  async function watch() {
    const wanted = needs();
    const first = Object.keys(wanted)[0];
    const changed = await load(first, wanted[first], true);
    refreshAges(held[first]?.body);
    const others = Object.entries(wanted).slice(1).filter(([name]) => changed || held[name]?.error);
    await Promise.all(others.map(([name, path]) => load(name, path, true)));
    if (changed) announce(t("state.updated"));
  }

  document.addEventListener("session-expired", paint);
  poll(watch, boot.poll_s ?? 3, FIRST_LOOK_S);
  bridge.keepFitting();
  return { refresh, retry: () => Promise.all(Object.entries(needs()).map(([name, path]) => load(name, path, true).catch(() => null))) };
}

/** True once an answer is on its way for longer than anybody likes to wait in silence. */
export function isSlow(slot) {
  return Boolean(slot?.busy && Date.now() - slot.since > SLOW_MS);
}

/** Draw into a container only if what it depends on has changed: charts and open lists stay as they are. */
export function memo(container, dependencies, render) {
  const last = container.dependencies;
  if (last && last.length === dependencies.length && last.every((one, i) => one === dependencies[i])) return;
  container.dependencies = dependencies;
  replace(container, render());
}

function refreshAges(body) {
  if (!body?.as_of) return;
  const now = new Date();
  const text = t("card.as_of", { time: moment(body.as_of, { lang, timezone: body.timezone, now }) });
  for (const element of document.querySelectorAll("time.as-of")) {
    if (element.textContent !== text) element.textContent = text;
    element.className = `as-of ${age(body.as_of, now)}`;
    element.dateTime = body.as_of;
  }
}

/** Say something to those who do not see the page. */
export function announce(text) {
  let box = document.getElementById("announcer");
  if (!box) {
    box = Object.assign(document.createElement("p"), { id: "announcer", className: "hidden-text" });
    box.setAttribute("role", "status");
    document.body.append(box);
  }
  box.textContent = text;
}
