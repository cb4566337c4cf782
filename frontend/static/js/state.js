/** What the viewer has chosen on the page. It lives in the address, so going back and reloading keep it. */

import { KINDS } from "./periods.js";

const COMPARES = ["previous", "year", "none"];
const DAY = /^\d{4}-\d\d-\d\d$/;

/** The choices in an address (`#scope=department:3&period=month`), the given ones where it says nothing. */
export function readState(hash, defaults) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const state = { ...defaults };
  if (/^(company|me|(user|department):\d+)$/.test(said.get("scope") ?? "")) state.scope = said.get("scope");
  if (COMPARES.includes(said.get("compare"))) state.compare = said.get("compare");
  if (KINDS.includes(said.get("period"))) {
    state.choice = { kind: said.get("period"), offset: Math.min(0, Number.parseInt(said.get("offset") ?? "0", 10) || 0) };
  } else if (DAY.test(said.get("from") ?? "") && DAY.test(said.get("to") ?? "") && said.get("from") < said.get("to")) {
    state.choice = { kind: "custom", from: said.get("from"), to: said.get("to") };
  }
  if (/^\w+$/.test(said.get("trend") ?? "")) state.trend = said.get("trend");
  return state;
}

/** The same choices as an address. */
export function writeState({ scope, compare, choice, trend }) {
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
  return `#${decodeURIComponent(said.toString())}`;
}
