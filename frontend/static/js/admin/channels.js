/** Channel rules: which utm or source belongs to which channel, with what they match before anything is saved. */

import { api, plural, t } from "../context.js";
import { h, icon, replace } from "../dom.js";
import { input, labelled, loaded, panel, problem, rows, saver, select, table } from "./parts.js";

const WAIT_MS = 400;

export function showChannels(box) {
  void loaded(box, async () => ({ settings: await api.fresh("/api/v1/settings"), choices: await api.fresh("/api/v1/settings/choices"), now: await api.fresh("/api/v1/channels") }), draw);
}

function draw({ settings, choices, now }) {
  let rules = settings.channels.map((rule) => ({ ...rule }));
  let timer = null;
  const preview = h("div", { class: "matches", "aria-live": "polite" });
  const show = (found) => replace(preview, matches(found));
  const told = (found, place) => found.rules[place] && plural("admin.matches", found.rules[place].leads + found.rules[place].deals);
  show(now);

  function changed(list) {
    rules = list;
    clearTimeout(timer);
    timer = setTimeout(() => void look(), WAIT_MS);
  }

  async function look() {
    try {
      const found = await api.post("/api/v1/channels/preview", { channels: whole(rules) });
      show(found);
      for (const [place, note] of document.querySelectorAll(".rule-count").entries()) note.textContent = told(found, place) ?? "";
    } catch (error) {
      replace(preview, h("p", { class: "notice warn" }, icon("warn"), h("span", { class: "grow" }, problem(error))));
    }
  }

  return [
    panel(t("admin.rules"), null, h("p", { class: "aside" }, t("admin.hint.rules")),
      rows({ label: t("admin.rules"), list: rules, add: t("admin.add_rule"), fresh: () => ({ channel: "", utm_source: "" }), onChange: changed, row: (rule, change, _redraw, place) => [
        labelled("utm_source", input(rule.utm_source, (value) => { rule.utm_source = value || undefined; change(rule); })),
        labelled(t("admin.source"), select(rule.source_id ?? "", [["", t("admin.any")], ...choices.sources.map(({ id, name }) => [id, name || id])], (value) => { rule.source_id = value || undefined; change(rule); })),
        labelled(t("admin.channel"), input(rule.channel, (value) => { rule.channel = value; change(rule); })),
        h("span", { class: "aside rule-count number" }, told(now, place) ?? ""),
      ] }),
      saver(async () => { Object.assign(settings, await api.patch("/api/v1/settings", { channels: whole(rules) })); })),
    preview,
  ];
}

/** Rules without empty members, as the server wants them. */
function whole(rules) {
  return rules.map((rule) => Object.fromEntries(Object.entries(rule).filter(([, value]) => value)));
}

function matches(found) {
  return h("section", { class: "panel" }, h("div", { class: "panel-head" }, h("h2", {}, t("admin.origins")), h("span", { class: "aside" }, t("admin.year"))),
    table(t("admin.origins"), [
      { name: "utm_source", cell: (row) => row.utm_source ?? "—" },
      { name: t("admin.source"), cell: (row) => row.source ?? row.source_id ?? "—" },
      { name: t("admin.channel"), cell: (row) => h("b", {}, row.channel === "unknown" ? t("admin.unknown") : row.channel) },
      { name: t("admin.by_rule"), cell: (row) => (row.rule === null ? "—" : `№ ${row.rule + 1}`) },
      { name: t("admin.leads"), isNumber: true, cell: (row) => row.leads },
      { name: t("admin.deals"), isNumber: true, cell: (row) => row.deals },
    ], found.origins, t("admin.no_origins")));
}
