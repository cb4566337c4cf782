/** People and departments of a scope: who is in it, and their tables. */

import { boot, metricOf, plural, t } from "./context.js";
import { openChat, openTaskForm } from "./act.js";
import { h, icon } from "./dom.js";
import { attention, peopleTable } from "./people.js";
import { pieceName } from "./periods.js";
import { shortfall } from "./standing.js";

/** True for a scope of several people. */
export function isTeam(scope) {
  return scope === "company" || scope.startsWith("department:");
}

/** What a scope is called. */
export function nameOf(org, scope) {
  if (scope === "company") return t("page.company");
  return org?.departments.find((one) => one.scope === scope)?.name ?? org?.employees.find((one) => one.scope === scope)?.name ?? "";
}

export function hasTeams(org, scope) {
  if (!org) return false;
  if (scope === "company") return org.departments.length > 0;
  return org.departments.some((one) => `department:${one.parent_id}` === scope);
}

/** The people of a scope as rows: those who work there, and those who left but have numbers in the answer. */
export function peopleIn(org, scope, answer) {
  const inside = membersOf(org, scope);
  const withRows = new Set(answer.values.flatMap((value) => (value.rows ?? []).map((row) => row.key)));
  return org.employees.filter((one) => (one.active ? inside(one) : false) || withRows.has(one.scope))
    .map((one) => ({ key: one.scope, name: one.name, note: one.position, photo: one.photo, group: groupOf(one, answer), away: awayText(one) }));
}

/** Until when an employee is away, as a text; "" for those who are there. */
export function awayText(person) {
  const { away_until: until } = person;
  if (!until) return "";
  return until === boot.layout.today ? t("people.away_today") : t("people.away_until", { day: pieceName(until, boot.lang) });
}

/** Being away is told of today: a period that is over is judged without it. */
function groupOf(person, { from, to }) {
  if (!person.active) return "dismissed";
  if (person.away_until && from <= boot.layout.today && boot.layout.today < to) return "away";
  return person.hired_on && person.hired_on >= from && person.hired_on < to ? "new" : null;
}

/** The table of people. */
export function teamTable({ org, scope, answer, metrics, view, onView, onRow, onCell }) {
  const people = peopleIn(org, scope, answer);
  const rowOf = (who) => (key) => answer.values.find((one) => one.metric === key)?.rows?.find((row) => row.key === who);
  return peopleTable({
    title: t("people.title"), caption: plural("people.count", people.length), people, answer, metrics, view, onView, onRow, onCell,
    actions: (chosen) => [
      h("button", { class: "button outlined small", type: "button", data: { key: "act-task" }, onClick: () => {
        const metric = laggard(chosen, metrics, rowOf);
        openTaskForm({ people: chosen, answer, metric, valueOf: (who) => metric && rowOf(who)(metric) });
      } }, icon("task"), t("act.task")),
      chosen.length === 1 ? h("button", { class: "button outlined small", type: "button", data: { key: "act-chat" }, onClick: () => void openChat(chosen[0].key.split(":")[1]) }, icon("chat"), t("act.chat")) : null,
    ],
  });
}

/** The KPI in which the chosen people are furthest behind, or null. */
function laggard(chosen, metrics, rowOf) {
  const behind = metrics.map((key) => ({ key, most: Math.max(...chosen.map((one) => shortfall(rowOf(one.key)(key), metricOf(key)) ?? -1)) })).sort((a, b) => b.most - a.most)[0];
  return behind && behind.most > 0 && chosen.some((one) => attention(rowOf(one.key), metrics) !== null) ? behind.key : null;
}

/** The departments under the scope, in the order of the tree until the viewer sorts them. */
export function departmentsTable({ org, scope, answer, metrics, view, onView, onRow, onCell }) {
  const list = org.departments.filter((one) => answer.values.some((value) => value.rows?.some((row) => row.key === one.scope)) && one.scope !== scope)
    .map((one, order) => ({ key: one.scope, name: one.name, note: plural("people.count", one.people), order, depth: view.sort.by === "order" ? Math.max(0, one.depth - depthOf(org, scope) - 1) : 0 }));
  if (!list.length) return [];
  return peopleTable({ title: t("page.departments"), people: list, answer, metrics, view, onView, onRow, onCell, picture: false });
}

function depthOf(org, scope) {
  return org.departments.find((one) => one.scope === scope)?.depth ?? -1;
}

/** Whether an employee stands in the scope: in the department or under it. */
function membersOf(org, scope) {
  if (scope === "company") return () => true;
  const inside = new Set([Number(scope.split(":")[1])]);
  for (const { id, parent_id: parent } of org.departments) if (inside.has(parent)) inside.add(id);
  return (one) => one.department_ids.some((id) => inside.has(id));
}
