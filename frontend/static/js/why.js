/** Why the won amount changed: drivers that add up, people and deals that moved it, where deals are lost. */

import { bridge, lang, plural, style, t } from "./context.js";
import { h } from "./dom.js";
import { exact, percent, short } from "./format.js";

/**
 * The panel. `why` and `moved` are answers of /why and /why/records (null while on their way), `error` of the
 * latter, `basis` names the days compared with. Names of people call `onPerson(scope)`.
 */
export function whyPanel({ why, moved, error, basis, onPerson, onRetry }) {
  const has = why?.change !== null && why?.change !== undefined;
  return h("section", { class: "panel why", "aria-label": t("why.title") },
    h("div", { class: "panel-head" }, h("h2", {}, t("why.title")), has && h("span", { class: "aside" }, basis)),
    why && !has ? h("p", { class: "empty" }, t(why.value === null ? "state.no_records" : "why.nothing")) : null,
    has ? h("div", { class: "why-grid" },
      h("div", { class: "why-part wide" }, bridgeOf(why)),
      why.people.length > 1 ? h("div", { class: "why-part" }, h("h3", {}, t("why.people")), peopleOf(why, onPerson)) : null,
      h("div", { class: "why-part" }, h("h3", {}, t("why.records")), recordsOf(moved, error, onRetry)),
      h("div", { class: "why-part" }, h("h3", {}, t("why.lost")), lostOf(why)),
      why.quality.length ? h("div", { class: "why-part" }, h("h3", {}, t("why.quality")), qualityOf(why)) : null)
      : null);
}

/** The driver that pulled the amount most in the direction of its change: its key, or null. */
export function mainDriver(why) {
  if (why?.change === null || why?.change === undefined || Number(why.change) === 0) return null;
  const sign = Math.sign(Number(why.change));
  const same = why.drivers.filter((one) => Math.sign(Number(one.effect)) === sign);
  return same.sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect))[0]?.key ?? null;
}

/** A bridge from the amount before to the amount now, a bar for each driver. */
function bridgeOf(why) {
  const how = style(why);
  const effects = why.drivers.map((one) => Number(one.effect));
  const ends = [Number(why.before), Number(why.value)];
  let level = ends[0];
  const steps = why.drivers.map((one, i) => {
    const from = level;
    level += effects[i];
    return { key: one.key, one, low: Math.min(from, level), high: Math.max(from, level) };
  });
  const top = Math.max(...ends, ...steps.map((step) => step.high), 1);
  const bottom = Math.min(0, ...ends, ...steps.map((step) => step.low));
  const place = (value) => ((value - bottom) / (top - bottom)) * 100;
  const line = (name, low, high, tone, text, note) => h("li", {},
    h("span", { class: "name" }, name, note && h("small", {}, note)),
    h("span", { class: "track", "aria-hidden": "true" }, h("i", { class: tone, style: { left: `${place(low)}%`, width: `${Math.max(place(high) - place(low), 0.6)}%` } })),
    h("b", { class: `number ${tone}` }, text));
  return h("ol", { class: "bridge", "aria-label": t("why.drivers") },
    line(t("why.before"), Math.min(0, ends[0]), Math.max(0, ends[0]), "total", short(why.before, "money", how)),
    steps.map(({ one, low, high }, i) => line(t(`why.driver.${one.key}`), low, high, effects[i] > 0 ? "good" : effects[i] < 0 ? "bad" : "", signed(one.effect, how), `${short(one.before, one.unit, how)} → ${short(one.now, one.unit, how)}`)),
    line(t("why.now"), Math.min(0, ends[1]), Math.max(0, ends[1]), "total", short(why.value, "money", how), signed(why.change, how)));
}

const PEOPLE_SHOWN = 3;

function peopleOf(why, onPerson) {
  const how = style(why);
  const falls = why.people.filter((one) => Number(one.effect) < 0).slice(0, PEOPLE_SHOWN);
  const rises = why.people.filter((one) => Number(one.effect) > 0).slice(-PEOPLE_SHOWN).reverse();
  const shown = [...rises, ...falls];
  const rest = Number(why.change) - shown.reduce((sum, one) => sum + Number(one.effect), 0);
  const most = Math.max(...shown.map((one) => Math.abs(one.effect)), 1);
  return h("ul", { class: "effects" },
    shown.map((one) => h("li", {},
      h("button", { class: "name", type: "button", data: { key: `why-${one.key}` }, onClick: () => onPerson(one.key) }, one.name || one.key),
      h("span", { class: "half", "aria-hidden": "true" }, h("i", { class: Number(one.effect) > 0 ? "good" : "bad", style: { width: `${(Math.abs(one.effect) / most) * 50}%`, [Number(one.effect) > 0 ? "left" : "right"]: "50%" } })),
      h("b", { class: `number ${Number(one.effect) > 0 ? "good" : "bad"}`, title: exact(one.effect, "money", how) }, signed(one.effect, how)))),
    why.people.length > shown.length || Number(why.others) ? h("li", { class: "rest" }, h("span", { class: "name" }, t("why.rest")), h("span", {}), h("b", { class: "number" }, signed(String(rest), how))) : null);
}

function recordsOf(moved, error, onRetry) {
  if (!moved && error) return h("p", { class: "aside" }, t("error.http_503"), " ", h("button", { class: "button quiet inline", type: "button", onClick: onRetry }, t("action.retry")));
  if (!moved) return h("p", { class: "aside", role: "status" }, t("state.loading"));
  const rows = [...moved.up, ...moved.down];
  const how = style(moved);
  return [
    rows.length ? h("ul", { class: "effects records" }, rows.map((row) => h("li", {},
      h("span", { class: "name" }, h("button", { type: "button", data: { key: `moved-${row.id}` }, onClick: () => bridge.open(row.path) }, row.title || t("records.untitled.deal", { id: row.id })),
        h("small", {}, [row.owner.name, dayOf(row.day)].filter(Boolean).join(" · "))),
      h("b", { class: `number ${Number(row.effect) > 0 ? "good" : "bad"}`, title: exact(row.effect, "money", how) }, signed(row.effect, how)))))
      : h("p", { class: "aside" }, t("why.no_records")),
    moved.hidden ? h("p", { class: "aside" }, plural("records.hidden", moved.hidden)) : null,
  ];
}

function lostOf(why) {
  if (!why.lost.count) return h("p", { class: "aside" }, t("why.nothing_lost"));
  return h("ul", { class: "plain lost" }, why.lost.stages.map((stage, i) => h("li", { class: i === 0 ? "most" : null },
    h("span", { class: "name" }, stage.name, h("small", {}, [i === 0 && why.lost.stages.length > 1 ? t("why.weakest") : "", stage.pipeline].filter(Boolean).join(" · "))),
    h("span", { class: "number" }, t("card.fraction", { a: number(stage.count), b: number(why.lost.count) }), stage.before === null ? "" : ` (${t("delta.was", { value: number(stage.before) })})`))));
}

function qualityOf(why) {
  return h("ul", { class: "plain" }, why.quality.map((one) => h("li", {}, h("span", { class: "name" }, t(`why.missing.${one.key}`)),
    h("span", { class: "number" }, percent(one.count / one.of, lang), " ", h("small", {}, t("card.fraction", { a: number(one.count), b: number(one.of) }))))));
}

function signed(amount, how) {
  const text = short(String(amount).replace(/^-/, ""), "money", how);
  return Number(amount) > 0 ? `+${text}` : Number(amount) < 0 ? `−${text}` : text;
}

function number(value) {
  return new Intl.NumberFormat(lang).format(value);
}

function dayOf(day) {
  return new Intl.DateTimeFormat(lang, { day: "numeric", month: "short", timeZone: "UTC" }).format(new Date(`${day}T00:00:00Z`));
}
