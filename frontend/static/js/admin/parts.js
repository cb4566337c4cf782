/** Pieces of the setup's forms: labelled controls, lists of rows, saving with errors beside what they are about. */

import { has, t } from "../context.js";
import { h, icon, replace } from "../dom.js";
import { toast } from "../overlay.js";

/** A panel with a heading; `aside` stands beside it. */
export function panel(title, aside, ...body) {
  return h("section", { class: "panel" }, h("div", { class: "panel-head" }, h("h2", {}, title), aside ? h("span", { class: "aside" }, aside) : null), h("div", { class: "panel-body admin-form" }, body));
}

/** A control under its name. */
export function labelled(name, control, hint = null) {
  return h("label", { class: "labelled" }, h("span", {}, name), control, hint ? h("small", {}, hint) : null);
}

/** A box to tick. */
export function tick(name, checked, onChange, hint = null) {
  return h("label", { class: "tick" }, h("input", { type: "checkbox", checked, onChange: (event) => onChange(event.target.checked) }), h("span", {}, name, hint ? h("small", {}, hint) : null));
}

/** A list of choices: `options` are `[value, name]`. */
export function select(value, options, onChange, label = null) {
  return h("select", { class: "field", "aria-label": label, onChange: (event) => onChange(event.target.value) },
    options.map(([one, name]) => h("option", { value: String(one), selected: String(one) === String(value ?? "") }, name)));
}

/** A field for text or a number. */
export function input(value, onChange, props = {}) {
  return h("input", { class: "field", value: value ?? "", onInput: (event) => onChange(event.target.value), ...props });
}

/** Everything, or only the ticked ones; `value` is null for everything. */
export function limited(legend, all, options, value, onChange) {
  const box = h("fieldset", { class: "limited" });
  const chosen = new Set(value ?? []);
  let isAll = value === null;
  const draw = () => replace(box, h("legend", {}, legend),
    tick(all, isAll, (checked) => { isAll = checked; draw(); tell(); }),
    isAll ? null : h("div", { class: "ticks" }, options.map(([id, name]) => tick(name, chosen.has(id), (checked) => { chosen[checked ? "add" : "delete"](id); tell(); }))));
  const tell = () => onChange(isAll ? null : [...chosen]);
  draw();
  return box;
}

/** Rows that can be added and taken away. `row(value, change)` gives the controls of one. */
export function rows({ label, list, row, fresh, onChange, add }) {
  const box = h("div", { class: "edit-rows", role: "group", "aria-label": label });
  const kept = [...list];
  const tell = () => onChange([...kept]);
  const draw = () => replace(box,
    kept.map((value, place) => h("div", { class: "edit-row" }, row(value, (next) => { kept[place] = next; tell(); }, () => draw(), place),
      h("button", { class: "icon-button", type: "button", "aria-label": `${t("admin.remove")}: ${label} ${place + 1}`, onClick: () => { kept.splice(place, 1); draw(); tell(); } }, icon("trash")))),
    h("button", { class: "button quiet inline", type: "button", onClick: () => { kept.push(fresh()); draw(); tell(); } }, icon("plus"), add));
  draw();
  return box;
}

/** The button that saves, and what came of it. `save` resolves, or rejects with what the server says. */
export function saver(save, text = t("admin.save")) {
  const note = h("p", { class: "form-note save-note", role: "status" });
  const button = h("button", { class: "button primary", type: "button", onClick: () => void run() }, text);
  async function run() {
    button.classList.add("busy");
    replace(note);
    try {
      await save();
      await toast(t("admin.saved"));
    } catch (error) {
      replace(note, icon("warn"), h("span", {}, problem(error)));
    }
    button.classList.remove("busy");
  }
  return h("div", { class: "save-line" }, button, note);
}

/** What went wrong, in words. */
export function problem(error) {
  const known = `error.http_${error.status}`;
  const reasons = Object.entries(error.body?.parameters ?? {}).map(([name, reason]) => `${has(`admin.field.${name.split(/[.[]/)[0]}`) ? t(`admin.field.${name.split(/[.[]/)[0]}`) : name}: ${reason}`);
  if (reasons.length) return reasons.join("; ");
  if (error.status === 400 && error.detail) return error.detail;
  return t(has(known) ? known : "error.other");
}

/** While something is on its way; then what `draw` makes of it, or the error with a way to try again. */
export async function loaded(box, load, draw) {
  replace(box, h("p", { class: "panel panel-body", role: "status" }, t("state.loading")));
  try {
    const found = await load();
    replace(box, draw(found));
  } catch (error) {
    if (!("status" in error)) throw error;
    replace(box, h("div", { class: "notice warn", role: "alert" }, icon("warn"), h("p", { class: "grow" }, error.numbered(problem(error))),
      h("button", { class: "button", type: "button", onClick: () => void loaded(box, load, draw) }, icon("retry"), t("action.retry"))));
  }
  document.getElementById("app").setAttribute("aria-busy", "false");
}

/** A table of plain rows. `columns` are `{name, cell(row), isNumber}`. */
export function table(caption, columns, list, empty) {
  if (!list.length) return h("p", { class: "empty" }, empty);
  return h("div", { class: "table-box", tabindex: "0", role: "region", "aria-label": caption },
    h("table", { class: "table admin-table" }, h("thead", {}, h("tr", {}, columns.map((column) => h("th", { scope: "col", class: column.isNumber ? "number" : null }, column.name)))),
      h("tbody", {}, list.map((row) => h("tr", {}, columns.map((column) => h("td", { class: column.isNumber ? "number" : null }, column.cell(row))))))));
}
