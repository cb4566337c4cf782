/** The KPI cards of a page: in one grid, or for a person group by group. */

import { metricOf, plural, t } from "./context.js";
import { card, skeleton } from "./card.js";
import { h } from "./dom.js";
import { explain } from "./explain.js";
import * as periods from "./periods.js";
import { pointsOf } from "./trend.js";

/** The cards (`layout`: `{cards, more}`) of what is held. `onOpen(key, value, answer)` shows records, `onPlan(key)` the plan, `onMore` the rest. */
export function cardBlocks({ held, state, layout, today, isGrouped, basis, canPlan, onOpen, onMore, onPlan }) {
  const answer = held.now?.body ?? null;
  const fallback = { values: [], scope: state.scope, ...periods.range(state.choice, today) };
  const pieces = periods.trend(state.choice, today);
  const heading = h("h2", { class: "hidden-text" }, t("page.cards"));
  if (!answer && !held.now?.error) return [heading, h("div", { class: "cards" }, layout.cards.map(() => skeleton()))];

  const main = layout.cards.map((key) => ({ key, element: one(key, answer ?? fallback, held.series?.body) }));
  const more = state.more ? layout.more.map((key) => ({ key, element: held.more?.body ? one(key, held.more.body, held.moreSeries?.body) : skeleton() })) : [];
  const button = layout.more.length ? h("button", { class: "card more", type: "button", "aria-expanded": String(Boolean(state.more)), data: { key: "more" }, onClick: onMore },
    state.more ? t("card.less") : plural("card.more", layout.more.length)) : null;
  if (!isGrouped) return [heading, h("div", { class: "cards" }, main.map(({ element }) => element), more.map(({ element }) => element), button)];
  const groups = new Map();
  for (const { key, element } of [...main, ...more]) {
    const { group = "", group_name: name = "" } = metricOf(key);
    if (!groups.has(group)) groups.set(group, { name, elements: [] });
    groups.get(group).elements.push(element);
  }
  if (groups.size < 2) return [heading, h("div", { class: "cards" }, [...groups.values()].flatMap(({ elements }) => elements), button)];
  return [heading, [...groups.values()].map(({ name, elements }) => h("section", { class: "group", "aria-label": name }, h("h2", {}, name), h("div", { class: "cards" }, elements))),
    button && h("div", { class: "cards more-line" }, button)];

  function one(key, from, series) {
    const metric = metricOf(key);
    const value = from.values.find((each) => each.metric === key) ?? { error: held.now?.error ?? { status: 0 } };
    const trend = series?.values.find((each) => each.metric === key);
    const show = onOpen && (() => onOpen(key, value, from));
    return card({
      metric, value, answer: from, basis, grain: pieces.by, run: periods.elapsed(from, today),
      points: trend ? pointsOf(trend, periods.pieceKeys(pieces)) : null,
      running: pieces.to > today, current: state.open?.metric === key && state.open.scope === state.scope,
      onOpen: show, onExplain: () => explain({ metric, value, answer: from, onRecords: (value.value ?? null) === null ? null : show }),
      onPlan: canPlan ? () => onPlan(key) : null,
    });
  }
}
