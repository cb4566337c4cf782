/** The controls that every page has: period, comparison, freshness, theme, export, print. */

import { api, lang, t } from "./context.js";
import { h, icon } from "./dom.js";
import { toast } from "./overlay.js";
import { KINDS, addDays, range, title } from "./periods.js";

/** Segments for the kind of period, arrows to step through, a field for any two dates. */
export function periodControls(choice, today, onChange) {
  const isCustom = choice.kind === "custom";
  return [
    h("div", { class: "segments", role: "group", "aria-label": t("period.label") },
      KINDS.map((kind) => h("button", { type: "button", "aria-pressed": String(choice.kind === kind), data: { key: `period-${kind}` }, onClick: () => onChange({ kind, offset: 0 }) }, t(`period.${kind}`)))),
    h("div", { class: "step" },
      h("button", { class: "icon-button", type: "button", disabled: isCustom, "aria-label": t("period.earlier"), title: t("period.earlier"), data: { key: "earlier" }, onClick: () => onChange({ ...choice, offset: choice.offset - 1 }) }, icon("left")),
      h("span", { class: "range number", "aria-live": "polite" }, title(choice, today, { lang, t })),
      h("button", { class: "icon-button", type: "button", disabled: isCustom || choice.offset >= 0, "aria-label": t("period.later"), title: t("period.later"), data: { key: "later" }, onClick: () => onChange({ ...choice, offset: choice.offset + 1 }) }, icon("right")),
      popover({ name: "dates", label: t("period.custom"), glyph: "calendar" }, (close) => datesForm(choice, today, (chosen) => { close(); onChange(chosen); }))),
  ];
}

/** What the period is compared with. */
export function compareControl(compare, onChange) {
  return h("label", {}, h("span", { class: "hidden-text" }, t("compare.label")),
    h("select", { class: "field", data: { key: "compare" }, onChange: (event) => onChange(event.target.value) },
      ["previous", "year", "none"].map((one) => h("option", { value: one, selected: one === compare }, t(`compare.${one}`)))));
}

/** Files of what is on the screen. `pathOf(format)` is the address of one. */
export function exportControl(pathOf) {
  return popover({ name: "export", label: t("action.export"), glyph: "export" }, (close) =>
    h("div", { class: "menu" }, ["xlsx", "csv", "json"].map((format) =>
      h("button", { type: "button", onClick: async () => { close(); await save(pathOf(format)); } }, t(`export.${format}`)))));
}

/** Fetch a file with the session's token and hand it to the browser. */
export async function save(path) {
  try {
    const { blob, name } = await api.download(path);
    handOver(blob, name);
  } catch {
    await toast(t("error.export"));
  }
}

/** Let the browser save a file. */
export function handOver(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

export function printControl() {
  return h("button", { class: "button icon", type: "button", "aria-label": t("action.print"), title: t("action.print"), data: { key: "print" }, onClick: () => window.print() }, icon("print"));
}

/** Light, dark, or as the device says. */
export function themeControl() {
  return h("button", { class: "button icon", type: "button", "aria-label": t("action.theme"), title: t("action.theme"), data: { key: "theme" }, onClick: nextTheme }, icon("theme"));
}

const THEMES = ["auto", "light", "dark"];

/** Put the remembered theme on the page. Storage may be closed in a frame of another site. */
export function applyTheme() {
  let theme = "auto";
  try {
    theme = localStorage.getItem("b24app-theme") ?? "auto";
  } catch { /* the device decides */ }
  setTheme(theme);
}

async function nextTheme() {
  const now = document.documentElement.dataset.theme ?? "auto";
  const theme = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
  setTheme(theme);
  try {
    localStorage.setItem("b24app-theme", theme);
  } catch { /* it holds until the page closes */ }
  document.dispatchEvent(new CustomEvent("theme-changed"));
  await toast(t(`theme.${theme}`));
}

function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function datesForm(choice, today, onChange) {
  const shown = range(choice, today);
  const last = addDays(shown.to, -1);
  return h("form", { class: "dates", onSubmit: (event) => {
    event.preventDefault();
    const [from, until] = [event.target.from.value, event.target.until.value];
    if (from && until && from <= until) onChange({ kind: "custom", from, to: addDays(until, 1) });
  } },
    h("label", {}, t("period.from"), h("input", { class: "field", type: "date", name: "from", required: true, value: shown.from })),
    h("label", {}, t("period.until"), h("input", { class: "field", type: "date", name: "until", required: true, value: last > today ? today : last })),
    h("button", { class: "button primary", type: "submit" }, t("action.apply")));
}

/** A button with a small box under it that closes on Escape and on a click elsewhere. */
function popover({ name, label, glyph }, content) {
  const anchor = h("span", { class: "anchor" });
  const button = h("button", { class: "button icon", type: "button", "aria-expanded": "false", "aria-label": label, title: label, data: { key: name }, onClick: toggle }, icon(glyph));
  let box = null;
  const onKey = (event) => event.key === "Escape" && close();
  const onOutside = (event) => !anchor.contains(event.target) && close();

  function toggle() {
    if (box) return close();
    box = h("div", { class: "popover" }, content(close));
    anchor.append(box);
    if (box.getBoundingClientRect().left < 8) box.classList.add("from-start");
    button.setAttribute("aria-expanded", "true");
    box.querySelector("button, input")?.focus();
    document.addEventListener("keydown", onKey);
    document.addEventListener("pointerdown", onOutside);
    return undefined;
  }

  function close() {
    const hadFocus = box?.contains(document.activeElement);
    box?.remove();
    box = null;
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("keydown", onKey);
    document.removeEventListener("pointerdown", onOutside);
    if (hadFocus) button.focus();
  }

  anchor.append(button);
  return anchor;
}
