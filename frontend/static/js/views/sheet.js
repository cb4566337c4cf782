/** The sheet of the one-to-one: a person's period on one A4 page, to look at, print and sign. */

import { boot, lang, metricOf, style, t } from "../context.js";
import { deltaLine, statusChip } from "../card.js";
import { delta } from "../delta.js";
import { h, icon } from "../dom.js";
import { DASH, exact, short } from "../format.js";
import { elapsed, pieceKeys, title } from "../periods.js";
import { sparkline } from "../sparkline.js";
import { shareText, statusOf } from "../standing.js";
import { pointsOf } from "../trend.js";
import { valueState } from "../value_state.js";

const LINES = 5;
const COMMENTS = 3;

/** The sheet. `notes` are those of the person, or null. */
export function sheetOf({ answer, series, pieces, metrics, person, choice, notes, basis, onClose }) {
  const how = style(answer);
  const run = elapsed(answer, boot.layout.today);
  const keys = pieceKeys(pieces);
  const comments = (notes?.notes ?? []).filter((one) => one.kind === "comment").slice(0, COMMENTS);
  return [
    h("div", { class: "bar sheet-bar" },
      h("button", { class: "button", type: "button", data: { key: "sheet-close" }, onClick: onClose }, icon("left"), t("sheet.back")),
      h("span", { class: "spring" }),
      h("button", { class: "button primary", type: "button", data: { key: "sheet-print" }, onClick: () => window.print() }, icon("print"), t("sheet.print"))),
    h("article", { class: "sheet", "aria-label": t("sheet.title") },
      h("header", {},
        h("div", {}, h("h1", {}, person.name), h("p", {}, [person.position, ...(person.departments ?? [])].filter(Boolean).join(" · "))),
        h("div", { class: "sheet-when" }, h("b", {}, title(choice, boot.layout.today, { lang, t })), h("p", {}, t("sheet.title")))),
      h("table", {},
        h("thead", {}, h("tr", {}, [["name", "start"], ["value"], ["target"], ["share"], ["change", "start"], ["trend"], ["status", "start"]].map(([key, className]) => h("th", { scope: "col", class: className ?? null }, t(`sheet.${key}`))))),
        h("tbody", {}, metrics.map((key) => line(key)))),
      basis && h("p", { class: "sheet-basis" }, t("sheet.compared", { basis })),
      comments.length ? h("section", {}, h("h2", {}, t("notes.title")), h("ul", {}, comments.map((one) => h("li", {}, one.text, " ", h("small", {}, one.author?.name ?? ""))))) : null,
      h("section", { class: "sheet-lines" }, h("h2", {}, t("sheet.agreed")), Array.from({ length: LINES }, () => h("i", { "aria-hidden": "true" }))),
      h("footer", {}, h("span", {}, t("sheet.employee"), h("i", { "aria-hidden": "true" })), h("span", {}, t("sheet.head"), h("i", { "aria-hidden": "true" })), h("span", {}, t("sheet.date"), h("i", { "aria-hidden": "true" })))),
  ];

  function line(key) {
    const metric = metricOf(key);
    const value = answer.values.find((one) => one.metric === key);
    const { note } = valueState(value, metric);
    const isKnown = value && value.value !== null && value.value !== undefined;
    const change = isKnown ? delta(value, metric, "", how) : null;
    const trend = series?.values.find((one) => one.metric === key);
    return h("tr", {},
      h("th", { scope: "row", class: "start" }, metric.name),
      h("td", { class: "number", title: isKnown ? exact(value.value, metric.unit, how) : null }, isKnown ? h("b", {}, short(value.value, metric.unit, how)) : DASH),
      h("td", { class: "number" }, isKnown ? short(value.target ?? null, metric.unit, how) : DASH),
      h("td", { class: "number" }, value?.attainment === null || value?.attainment === undefined ? DASH : shareText(value.attainment, lang)),
      h("td", { class: "start" }, change ? deltaLine(change) : note && !isKnown ? h("small", {}, t(note)) : null),
      h("td", {}, trend ? sparkline(pointsOf(trend, keys), { running: pieces.to > boot.layout.today }) : null),
      h("td", { class: "start" }, isKnown ? statusChip(statusOf(value, run === null)) : null));
  }
}
