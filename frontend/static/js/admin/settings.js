/** The portal's settings as forms: what counts, how it is measured, who sees it. */

import { api, t } from "../context.js";
import { h } from "../dom.js";
import { input, labelled, limited, loaded, panel, rows, saver, select, tick } from "./parts.js";

const FIRST_TICKET = { entity_type_id: 2, category_id: 0 };

export function showSettings(box) {
  void loaded(box, load, (found) => forms(found).map((form) => form()));
}

/** Settings, what they can name, and the people: everything that the forms need. */
export async function load() {
  const [settings, choices, org] = await Promise.all([api.fresh("/api/v1/settings"), api.fresh("/api/v1/settings/choices"), api.fresh("/api/v1/org")]);
  return { settings, choices, org };
}

/** The forms, each a function that draws it. */
export function forms(found) {
  return [general, counting, support, budget, judging, access].map((form) => () => form(found));
}

export function general({ settings, choices }) {
  const draft = { timezone: settings.timezone, currency: settings.currency };
  return panel(t("admin.general"), null,
    h("div", { class: "fields" },
      labelled(t("admin.field.timezone"), select(draft.timezone, known(choices.timezones, draft.timezone).map((name) => [name, name.replaceAll("_", " ")]), (value) => { draft.timezone = value; }), t("admin.hint.timezone")),
      labelled(t("admin.field.currency"), select(draft.currency, choices.currencies.map(({ code, is_base }) => [code, is_base ? `${code} (${t("admin.base")})` : code]), (value) => { draft.currency = value; }), t("admin.hint.currency"))),
    save(settings, () => draft));
}

export function counting({ settings, choices }) {
  const draft = { pipelines: settings.pipelines, projects: settings.projects };
  return panel(t("admin.counting"), null,
    limited(t("admin.field.pipelines"), t("admin.all_pipelines"), withGone(choices.pipelines, settings.pipelines), settings.pipelines, (value) => { draft.pipelines = value; }),
    choices.projects.length ? limited(t("admin.field.projects"), t("admin.all_projects"), withGone(choices.projects, settings.projects), settings.projects, (value) => { draft.projects = value; }) : h("p", { class: "aside" }, t("admin.no_projects")),
    save(settings, () => draft));
}

export function support({ settings, choices }) {
  const draft = { support: structuredClone(settings.support), fcr_days: settings.fcr_days, working_hours_for_support: settings.working_hours_for_support };
  return panel(t("admin.support"), null,
    h("fieldset", { class: "limited" }, h("legend", {}, t("admin.field.support")),
      tick(t("admin.sessions"), draft.support.sessions, (value) => { draft.support.sessions = value; }),
      tick(t("admin.calls"), draft.support.calls, (value) => { draft.support.calls = value; }, t("admin.hint.calls"))),
    h("h3", {}, t("admin.tickets")), h("p", { class: "aside" }, t("admin.hint.tickets")),
    rows({ label: t("admin.tickets"), list: draft.support.tickets, fresh: () => first(choices), add: t("admin.add_ticket"), onChange: (list) => { draft.support.tickets = list; }, row: (ticket, change, redraw) => ticketRow(ticket, change, redraw, choices) }),
    choices.objects_known ? null : h("p", { class: "aside" }, t("admin.objects_unknown")),
    h("div", { class: "fields" },
      labelled(t("admin.field.fcr_days"), input(draft.fcr_days, (value) => { draft.fcr_days = Number(value); }, { type: "number", min: "1", max: "365" }), t("admin.hint.fcr_days"))),
    tick(t("admin.field.working_hours_for_support"), draft.working_hours_for_support, (value) => { draft.working_hours_for_support = value; }, t("admin.hint.working_hours")),
    save(settings, () => draft));
}

function ticketRow(ticket, change, redraw, choices) {
  const object = choices.objects.find(({ id }) => id === ticket.entity_type_id);
  const field = object?.fields.find(({ id }) => id === ticket.rating_field);
  const set = (next) => { change({ ...ticket, ...next }); Object.assign(ticket, next); redraw(); };
  return [
    labelled(t("admin.object"), select(ticket.entity_type_id, objects(choices, ticket.entity_type_id), (value) => set({ entity_type_id: Number(value), category_id: pipelineOf(choices, Number(value)), rating_field: undefined, positive_values: undefined }))),
    labelled(t("admin.pipeline"), select(ticket.category_id, withGone(object?.pipelines ?? [], [ticket.category_id]), (value) => set({ category_id: Number(value) }))),
    labelled(t("admin.rating"), select(ticket.rating_field ?? "", [["", t("admin.no_rating")], ...fields(object, ticket.rating_field, () => true)], (value) => set({ rating_field: value || undefined, positive_values: value ? [] : undefined }))),
    ticket.rating_field ? (field?.values.length
      ? h("fieldset", { class: "limited" }, h("legend", {}, t("admin.positive")), h("div", { class: "ticks" }, field.values.map(({ id, name }) => tick(name, (ticket.positive_values ?? []).includes(id), (on) => {
        ticket.positive_values = on ? [...(ticket.positive_values ?? []), id] : ticket.positive_values.filter((one) => one !== id);
        change({ ...ticket });
      }))))
      : labelled(t("admin.positive"), input((ticket.positive_values ?? []).join(", "), (value) => { ticket.positive_values = value.split(",").map((one) => one.trim()).filter(Boolean); change({ ...ticket }); }), t("admin.hint.positive"))) : null,
  ];
}

export function budget({ settings, choices }) {
  const draft = { budget: settings.budget ? { ...settings.budget } : null };
  const box = h("div", { class: "fields" });
  const numeric = ({ type }) => ["double", "integer", "money"].includes(type);
  const draw = () => {
    const object = choices.objects.find(({ id }) => id === draft.budget?.entity_type_id);
    box.replaceChildren(
      labelled(t("admin.budget_object"), select(draft.budget?.entity_type_id ?? "", [["", t("admin.budget_time")], ...objects(choices, draft.budget?.entity_type_id)], (value) => {
        const chosen = choices.objects.find(({ id }) => id === Number(value));
        const name = chosen?.fields.find(numeric)?.id ?? "";
        draft.budget = value ? { entity_type_id: Number(value), planned_field: name, actual_field: name } : null;
        draw();
      }), t("admin.hint.budget")),
      ...(draft.budget ? ["planned_field", "actual_field"].map((name) => labelled(t(`admin.${name}`), select(draft.budget[name], fields(object, draft.budget[name], numeric), (value) => { draft.budget[name] = value; }))) : []));
  };
  draw();
  return panel(t("admin.budget"), null, box, save(settings, () => draft));
}

export function judging({ settings }) {
  const draft = { hours_per_day: settings.hours_per_day, min_sample: { ...settings.min_sample }, thresholds: { ...settings.thresholds } };
  const number = (value, change, props) => input(value, (text) => change(Number(text.replace(",", "."))), { type: "number", ...props });
  return panel(t("admin.judging"), null,
    h("div", { class: "fields" },
      labelled(t("admin.met"), number(Math.round(draft.thresholds.met * 1000) / 10, (value) => { draft.thresholds.met = value / 100; }, { min: "1", step: "1" }), t("admin.hint.met")),
      labelled(t("admin.near"), number(Math.round(draft.thresholds.near * 1000) / 10, (value) => { draft.thresholds.near = value / 100; }, { min: "1", step: "1" }), t("admin.hint.near")),
      labelled(t("admin.sample_ratio"), number(draft.min_sample.ratio, (value) => { draft.min_sample.ratio = value; }, { min: "1" }), t("admin.hint.sample")),
      labelled(t("admin.sample_mean"), number(draft.min_sample.mean, (value) => { draft.min_sample.mean = value; }, { min: "1" })),
      labelled(t("admin.field.hours_per_day"), number(draft.hours_per_day, (value) => { draft.hours_per_day = value; }, { min: "0.5", max: "24", step: "0.5" }), t("admin.hint.hours"))),
    save(settings, () => draft));
}

export function access({ settings, org }) {
  const draft = { open_leaderboard: settings.open_leaderboard, grants: settings.grants.map((grant) => ({ ...grant })) };
  const people = org.employees.filter(({ active }) => active).map(({ id, name }) => [id, name || `#${id}`]);
  const scopes = [["company", t("page.company")], ...org.departments.map(({ scope, name, depth }) => [scope, `${"\u2003".repeat(depth)}${name}`])];
  return panel(t("admin.access"), null,
    tick(t("admin.field.open_leaderboard"), draft.open_leaderboard, (value) => { draft.open_leaderboard = value; }, t("admin.hint.leaderboard")),
    h("h3", {}, t("admin.field.grants")), h("p", { class: "aside" }, t("admin.hint.grants")),
    rows({ label: t("admin.field.grants"), list: draft.grants, add: t("admin.add_grant"), fresh: () => ({ user: people[0]?.[0], scope: "company" }), onChange: (list) => { draft.grants = list; },
      row: (grant, change) => [
        labelled(t("admin.who"), select(grant.user, withName(people, grant.user), (value) => { grant.user = Number(value); change({ ...grant }); })),
        labelled(t("admin.sees"), select(grant.scope, withName(scopes, grant.scope), (value) => { grant.scope = value; change({ ...grant }); })),
      ] }),
    save(settings, () => draft));
}

/** Saves what differs from what was loaded; an unchanged form sends nothing. */
function save(settings, draft) {
  return saver(async () => {
    const changed = Object.fromEntries(Object.entries(draft()).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(settings[name])));
    if (Object.keys(changed).length) Object.assign(settings, await api.patch("/api/v1/settings", changed));
  });
}

/** Deals and smart processes; while the portal does not answer those help desks whose titles are stored. */
function objects(choices, current) {
  return withName((choices.objects_known ? choices.objects : choices.titles).map(({ id, name }) => [id, name]), current);
}

function fields(object, current, fits) {
  return withName((object?.fields ?? []).filter(fits).map(({ id, name }) => [id, name]), current);
}

function pipelineOf(choices, entity) {
  return choices.objects.find(({ id }) => id === entity)?.pipelines[0]?.id ?? 0;
}

function first(choices) {
  const smart = choices.objects.find(({ id }) => id > 2);
  return smart ? { entity_type_id: smart.id, category_id: smart.pipelines[0]?.id ?? 0 } : { ...FIRST_TICKET };
}

/** The choices as `[id, name]`, with what is chosen but does not exist any more. */
function withGone(list, chosen) {
  const found = list.map(({ id, name }) => [id, name || `#${id}`]);
  for (const id of chosen ?? []) if (!list.some((one) => one.id === id)) found.push([id, t("admin.gone", { id })]);
  return found;
}

function withName(options, current) {
  if (current === undefined || current === null || current === "" || options.some(([value]) => String(value) === String(current))) return options;
  return [...options, [current, t("admin.gone", { id: current })]];
}

function known(list, current) {
  return list.includes(current) ? list : [current, ...list];
}
