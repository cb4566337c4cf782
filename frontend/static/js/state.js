/** What the viewer has chosen on the page. It lives in the address, so it can be shared, kept and gone back to. */

import { KINDS } from "./periods.js";

const COMPARES = ["previous", "year", "none"];
const VIEWS = ["plan", "tv", "sheet", "setup"];
const DAY = /^\d{4}-\d\d-\d\d$/;
const SCOPE = /^(company|me|(user|department):\d+)$/;
const KEY = /^\w+$/;

/**
 * The choices in an address (`#scope=department:3&period=month`), the given ones where it says nothing.
 * Besides those of every page: `view` (plan, tv, sheet), `plan` and `year` of the plan grid, `sort` of the
 * people (`{by, down}`), `open` (`{metric, scope}` of the open records), `pipeline` of the funnel, `more`.
 */
export function readState(hash, defaults) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const state = { ...defaults };
  const take = (name, pattern, read = (text) => text) => {
    if (pattern.test(said.get(name) ?? "")) state[name] = read(said.get(name));
  };
  take("scope", SCOPE);
  if (COMPARES.includes(said.get("compare"))) state.compare = said.get("compare");
  if (KINDS.includes(said.get("period"))) {
    state.choice = { kind: said.get("period"), offset: Math.min(0, Number.parseInt(said.get("offset") ?? "0", 10) || 0) };
  } else if (DAY.test(said.get("from") ?? "") && DAY.test(said.get("to") ?? "") && said.get("from") < said.get("to")) {
    state.choice = { kind: "custom", from: said.get("from"), to: said.get("to") };
  }
  take("trend", KEY);
  if (VIEWS.includes(said.get("view"))) state.view = said.get("view");
  take("plan", KEY);
  take("tab", KEY);
  take("year", /^20\d\d$/, Number);
  take("pipeline", /^\d+$/);
  take("more", /^1$/, () => true);
  take("sort", /^-?\w+$/, (text) => ({ by: text.replace(/^-/, ""), down: text.startsWith("-") }));
  const [metric, scope] = (said.get("open") ?? "").split("@");
  if (KEY.test(metric) && SCOPE.test(scope ?? "")) state.open = { metric, scope };
  return state;
}

/** The same choices as an address; what is as it begins is left out. */
export function writeState(state) {
  const { scope, compare, choice, trend, sort, open } = state;
  const said = new URLSearchParams();
  if (scope) said.set("scope", scope);
  if (choice.kind === "custom") {
    said.set("from", choice.from);
    said.set("to", choice.to);
  } else {
    said.set("period", choice.kind);
    if (choice.offset) said.set("offset", choice.offset);
  }
  if (compare !== "previous") said.set("compare", compare);
  if (trend) said.set("trend", trend);
  for (const name of ["view", "plan", "year", "tab", "pipeline"]) if (state[name]) said.set(name, state[name]);
  if (state.more) said.set("more", "1");
  if (sort && sort.by !== "attention") said.set("sort", `${sort.down ? "-" : ""}${sort.by}`);
  if (open) said.set("open", `${open.metric}@${open.scope}`);
  return `#${decodeURIComponent(said.toString())}`;
}
