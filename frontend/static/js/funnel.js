/** The funnel: how far the deals of the period got, stage by stage, one pipeline at a time. */

import { lang, plural, t } from "./context.js";
import { h } from "./dom.js";
import { percent } from "./format.js";

/** The panel. `answer` holds the `funnel` metric with rows by stage (null while on its way). */
export function funnelPanel({ answer, chosen, onPipeline }) {
  const value = answer?.values.find((one) => one.metric === "funnel");
  const names = answer?.names ?? {};
  const rows = (value?.rows ?? []).map((row) => ({ ...row, name: names[row.key] }));
  const leads = rows.filter((row) => row.key.startsWith("lead:"));
  const pipelines = grouped(rows.filter((row) => row.key.startsWith("stage:")), names);
  const current = pipelines.find((one) => one.id === chosen) ?? largest(pipelines);
  return h("section", { class: "panel", "aria-label": t("funnel.title") },
    h("div", { class: "panel-head" }, h("h2", {}, t("funnel.title")),
      pipelines.length > 1 && h("label", {}, h("span", { class: "hidden-text" }, t("funnel.pipeline")),
        h("select", { class: "field", data: { key: "funnel-pipeline" }, onChange: (event) => onPipeline(event.target.value) },
          pipelines.map((one) => h("option", { value: one.id, selected: one === current }, one.name))))),
    h("div", { class: "panel-body" },
      value && !current && !leads.length ? h("p", { class: "empty" }, t("funnel.empty")) : null,
      value?.reason && value.reason !== "no_records" ? h("p", { class: "empty" }, t(value.reason === "not_synced" ? "state.reading" : `state.${value.reason}`)) : null,
      current || leads.length ? stages(leads, current) : null));
}

function stages(leads, pipeline) {
  const steps = pipeline?.rows ?? [];
  const cohort = Math.max(Number(steps[0]?.denominator ?? 0), Number(steps[0]?.numerator ?? 0), 1);
  const topLeads = Math.max(...leads.map((row) => Number(row.numerator)), 1);
  const worst = worstStep(steps);
  return h("ol", { class: "funnel" },
    leads.map((row) => step(row, Number(row.numerator) / topLeads, { className: "lead", name: row.name ?? t(`funnel.${row.key.replace(":", "_")}`) })),
    steps.length ? step({ key: "cohort", numerator: cohort, value: null }, 1, { name: t("funnel.cohort") }) : null,
    steps.map((row) => step(row, Number(row.numerator) / cohort, {
      className: `${row === worst ? "worst" : ""} ${isWon(row) ? "won" : ""}`, name: row === worst ? [stageName(row), h("small", {}, t("funnel.weak"))] : stageName(row),
    })));
}

function step(row, share, { className = "", name }) {
  const reached = Number(row.numerator);
  return h("li", { class: className, data: { stage: row.key } },
    h("span", { class: "name" }, name),
    h("span", { class: "track" }, reached > 0 && h("i", { style: { width: `calc((100% - 44px) * ${Math.min(1, share)})` } }),
      h("b", { class: "number" }, new Intl.NumberFormat(lang).format(reached))),
    h("span", { class: "step-rate number", title: row.value === null ? null : t("funnel.step_hint") },
      row.value === null || row.value === undefined ? "" : percent(row.value, lang),
      h("span", { class: "hidden-text" }, ` ${plural("funnel.reached", reached)}`)));
}

function grouped(rows, names) {
  const found = new Map();
  for (const row of rows) {
    const id = row.key.split(":")[1];
    if (!found.has(id)) found.set(id, { id, name: names[`pipeline:${id}`] ?? t("funnel.pipeline_n", { n: id }), rows: [] });
    found.get(id).rows.push(row);
  }
  return [...found.values()];
}

function largest(pipelines) {
  return pipelines.reduce((best, one) => (!best || Number(one.rows[0].denominator) > Number(best.rows[0].denominator) ? one : best), null);
}

/** The step that loses the most deals: where to look first. */
function worstStep(steps) {
  const lost = (row) => (row.few_data ? 0 : Number(row.denominator) - Number(row.numerator));
  const found = steps.reduce((most, row) => (!most || lost(row) > lost(most) ? row : most), null);
  return found && lost(found) > 0 && steps.length > 1 ? found : null;
}

function isWon(row) {
  return /(^|:)WON$/.test(row.key);
}

function stageName(row) {
  return row.name ?? (isWon(row) ? t("funnel.won") : row.key.split(":").slice(2).join(":"));
}
