/** Acting on a number: tasks for people and messages to them, in the portal and with the viewer's own rights. */

import { boot, bridge, lang, metricOf, plural, style, t } from "./context.js";
import { h, icon, replace } from "./dom.js";
import { short } from "./format.js";
import { openDrawer, toast } from "./overlay.js";
import { addDays, days } from "./periods.js";

/**
 * A drawer that makes a task for everybody in `people` (`{key: "user:7", name}`): title, deadline and text are filled in
 * and can be changed. `answer` is what they are about, `metric` the KPI that lags (null: KPIs in general).
 */
export function openTaskForm({ people, answer, metric = null, valueOf = () => null }) {
  const range = { from: answer.from, to: answer.to };
  const period = days(range, answer.today ?? boot.layout.today, lang);
  const last = addDays(answer.to, -1);
  const today = answer.today ?? boot.layout.today;
  const title = metric ? t("act.title_metric", { metric: metricOf(metric).name, period }) : t("act.title", { period });
  const form = h("form", { class: "form", onSubmit: (event) => { event.preventDefault(); void send(event.target); } },
    h("label", {}, t("act.task_title"), h("input", { class: "field", name: "title", required: true, maxlength: "250", value: title })),
    h("label", {}, t("act.deadline"), h("input", { class: "field", type: "date", name: "deadline", value: last < today ? addDays(today, 3) : last })),
    h("label", {}, t("act.text"), h("textarea", { class: "field", name: "text", rows: "6" }, text())),
    h("div", { class: "names-list" }, h("b", {}, plural("people.count", people.length)), h("p", { class: "aside" }, people.map((one) => one.name).join(", "))),
    h("p", { class: "aside form-note", role: "status" }));
  const button = h("button", { class: "button primary", type: "button", data: { key: "task-send" }, onClick: () => form.requestSubmit() }, plural("act.create", people.length));
  const close = openDrawer({ title: t("act.task"), body: form, footer: [button] });

  function text() {
    const lines = metric ? people.map((one) => {
      const value = valueOf(one.key);
      return value ? `${one.name}: ${short(value.value, metricOf(metric).unit, style(answer))}${value.target === null || value.target === undefined ? "" : ` (${t("card.target", { target: short(value.target, metricOf(metric).unit, style(answer)) })})`}` : null;
    }).filter(Boolean) : [];
    return [...(lines.length > 1 ? [] : lines), t("act.link", { link: bridge.shareLink(ownView()) })].join("\n");
  }

  async function send(form_) {
    const note = form_.querySelector(".form-note");
    button.classList.add("busy");
    const failed = [];
    for (const one of people) {
      const fields = { TITLE: form_.title.value, DESCRIPTION: form_.text.value, RESPONSIBLE_ID: Number(one.key.split(":")[1]) };
      if (form_.deadline.value) fields.DEADLINE = `${form_.deadline.value}T19:00:00`;
      const done = await bridge.call("tasks.task.add", { fields }).catch(() => null);
      if (!done) failed.push(one.name);
    }
    button.classList.remove("busy");
    if (failed.length) {
      replace(note, icon("warn"), t("act.failed", { names: failed.join(", ") }));
      return;
    }
    close();
    await toast(plural("act.created", people.length));
  }
}

/** What is on the screen as whoever opens the link may see it: their own numbers in the same period. */
function ownView() {
  const said = new URLSearchParams(location.hash.replace(/^#/, ""));
  for (const name of ["view", "open", "sort", "plan", "year", "pipeline", "more"]) said.delete(name);
  said.set("scope", "me");
  return `#${said}`;
}

/** The portal's messenger with one person. */
export async function openChat(userId) {
  if (!(await bridge.openChat(userId))) await toast(t("act.only_in_portal"));
}

/** Copy a link to what is on the screen. */
export async function copyLink() {
  const link = bridge.shareLink(location.hash);
  await toast(t((await copied(link)) ? "act.copied" : "act.not_copied"));
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = h("textarea", { class: "hidden-text", value: text, "aria-hidden": "true" }); // frames may lack the permission
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}
