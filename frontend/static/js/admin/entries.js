/** Marketing costs and campaign results: what is entered, a line or a whole sheet more, with a look before it counts. */

import { api, has, lang, plural, t } from "../context.js";
import { h, icon, replace } from "../dom.js";
import { money } from "../format.js";
import { openDrawer, toast } from "../overlay.js";
import { input, labelled, loaded, panel, problem, table } from "./parts.js";

const COLUMNS = {
  costs: ["channel", "from", "to", "amount", "currency", "department"],
  campaigns: ["channel", "date", "name", "delivered", "opened", "clicked", "visits", "department"],
};
const NUMBERS = ["delivered", "opened", "clicked", "visits"];
const DAYS = ["from", "to", "date"];
const TYPES = { csv: "text/csv", xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" };
const SHEET = "text/tab-separated-values";

export function showEntries(box, kind, page = 1) {
  const path = `/api/v1/${kind}`;
  const again = (to = page) => showEntries(box, kind, to);
  void loaded(box, async () => ({ found: await api.fresh(`${path}?page=${page}`), org: await api.fresh("/api/v1/org"), settings: await api.fresh("/api/v1/settings") }), ({ found, org, settings }) => {
    const departments = Object.fromEntries(org.departments.map(({ id, name }) => [id, name]));
    return [importPanel(kind, again), addPanel(kind, found.channels, departments, settings.currency, again), listPanel()];

    function listPanel() {
      return h("section", { class: "panel" },
        h("div", { class: "panel-head" }, h("h2", {}, t(`admin.tab.${kind}`)), h("span", { class: "aside" }, plural("admin.entries", found.total))),
        table(t(`admin.tab.${kind}`), [
          ...COLUMNS[kind].map((name) => ({ name: column(name), isNumber: NUMBERS.includes(name) || name === "amount", cell: (entry) => shown(name, entry, departments) })),
          { name: t("admin.action"), cell: (entry) => h("button", { class: "icon-button", type: "button", "aria-label": `${t("admin.remove")}: ${entry.channel} ${entry.from ?? entry.date}`, onClick: async () => { await api.remove(`${path}/${encodeURIComponent(entry.external_id)}`); again(); } }, icon("trash")) },
        ], found[kind], t(`admin.no_${kind}`)),
        found.pages > 1 ? h("div", { class: "table-foot" }, h("span", { class: "pager" },
          h("button", { class: "icon-button", type: "button", disabled: page <= 1, "aria-label": t("records.page_before"), onClick: () => again(page - 1) }, icon("left")),
          t("records.page", { page, pages: found.pages }),
          h("button", { class: "icon-button", type: "button", disabled: page >= found.pages, "aria-label": t("records.page_after"), onClick: () => again(page + 1) }, icon("right")))) : null);
    }
  });
}

/** One entry, typed in. */
function addPanel(kind, channels, departments, currency, again) {
  const entry = { currency };
  const note = h("p", { class: "form-note", role: "status" });
  async function add() {
    const row = { external_id: crypto.randomUUID(), department: null, name: "", ...entry };
    for (const name of NUMBERS) if (kind === "campaigns") row[name] = Number(row[name] || 0);
    if (kind === "costs") row.amount = String(row.amount ?? "").replace(/\s/g, "").replace(",", ".");
    const sent = Object.fromEntries(["external_id", ...COLUMNS[kind]].map((name) => [name, row[name]]));
    try {
      await api.put(`/api/v1/${kind}`, [sent]);
      await toast(t("admin.saved"));
      again(1);
    } catch (error) {
      replace(note, icon("warn"), h("span", {}, (error.body?.errors ?? []).map((flaw) => `${column(flaw.column)}: ${flaw.text}`).join("; ") || problem(error)));
    }
  }
  const field = (name) => {
    if (name === "department") return labelled(column(name), h("select", { class: "field", onChange: (event) => { entry.department = Number(event.target.value) || null; } }, [["", t("page.company")], ...Object.entries(departments)].map(([id, text]) => h("option", { value: id }, text))));
    const props = DAYS.includes(name) ? { type: "date", required: true } : NUMBERS.includes(name) ? { type: "number", min: "0" } : name === "amount" ? { inputmode: "decimal", required: true } : name === "channel" ? { list: `channels-${kind}`, required: true } : {};
    return labelled(column(name), input(entry[name], (value) => { entry[name] = value; }, props));
  };
  return panel(t("admin.add_entry"), null,
    h("datalist", { id: `channels-${kind}` }, channels.map((value) => h("option", { value }))),
    h("form", { class: "fields", onSubmit: (event) => { event.preventDefault(); void add(); } }, COLUMNS[kind].map(field), h("button", { class: "button primary", type: "submit", data: { key: "entry-add" } }, t("admin.add"))), note);
}

/** A file or a pasted sheet: first what it would do, then, if wanted, it is done. */
function importPanel(kind, again) {
  const pick = h("input", { type: "file", class: "hidden-text", accept: ".csv,.xlsx,.txt,.tsv,text/csv", tabindex: "-1", "aria-hidden": "true", onChange: (event) => { const [file] = event.target.files; if (file) void look(file, TYPES[file.name.split(".").pop().toLowerCase()] ?? file.type ?? "text/csv"); event.target.value = ""; } });
  const note = h("p", { class: "form-note", role: "status" });
  const sheet = h("textarea", { class: "field", rows: "3", "aria-label": t("admin.paste"), placeholder: t("admin.paste_here") });

  async function look(body, type) {
    replace(note, t("state.loading"));
    try {
      const found = await api.upload("POST", `/api/v1/${kind}/preview`, body, type || "text/csv");
      replace(note);
      previewed(kind, found, (skip) => take(body, type || "text/csv", found, skip));
    } catch (error) {
      replace(note, icon("warn"), h("span", {}, problem(error)));
    }
  }

  async function take(body, type, found, skip) {
    const text = found.encoding && typeof body !== "string" ? new TextDecoder(found.encoding).decode(await body.arrayBuffer()) : body;
    const answer = await api.upload("PUT", `/api/v1/${kind}${skip ? "?skip=1" : ""}`, text, type);
    await toast(plural("admin.imported", answer.accepted));
    again(1);
  }

  return panel(t("admin.import"), null, h("p", { class: "aside" }, t("admin.hint.import_file", { columns: COLUMNS[kind].map(column).join(", ") })),
    h("div", { class: "import-line" }, pick,
      h("button", { class: "button outlined", type: "button", data: { key: "import-file" }, onClick: () => pick.click() }, icon("export"), t("admin.choose_file")),
      sheet, h("button", { class: "button outlined", type: "button", data: { key: "import-paste" }, onClick: () => { if (sheet.value.trim()) void look(sheet.value, sheet.value.includes("\t") ? SHEET : "text/csv"); } }, t("admin.look_at_it"))), note);
}

/** What an import would do: good lines, bad lines with reasons, and the choice. */
function previewed(kind, found, take) {
  const note = h("p", { class: "form-note", role: "status" });
  const run = async (skip) => {
    try {
      await take(skip);
      close();
    } catch (error) {
      replace(note, icon("warn"), h("span", {}, problem(error)));
    }
  };
  const facts = [[t("admin.lines"), found.rows], [t("admin.good_lines"), found.good], [t("admin.bad_lines"), found.bad], [t("admin.new_lines"), found.new], [t("admin.replaced"), found.replaced]];
  const missing = found.missing_columns.length ? t("admin.missing_columns", { columns: found.missing_columns.map(column).join(", ") }) : null;
  const close = openDrawer({
    title: t("admin.preview"), wide: true,
    body: [
      h("dl", { class: "sums" }, facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", { class: "number" }, new Intl.NumberFormat(lang).format(value))))),
      h("p", { class: "aside" }, [found.format, found.encoding, found.separator === "\t" ? "Tab" : found.separator].filter(Boolean).join(" · ")),
      missing ? h("p", { class: "notice warn" }, icon("warn"), missing) : null,
      found.unknown_columns.length ? h("p", { class: "notice" }, icon("info"), t("admin.unknown_columns", { columns: found.unknown_columns.join(", ") })) : null,
      found.currencies_without_rate.length ? h("p", { class: "notice warn" }, icon("warn"), t("admin.no_rates", { currencies: found.currencies_without_rate.join(", ") })) : null,
      found.flaws.length ? h("section", {}, h("h3", {}, t("admin.flaws")), h("ul", { class: "flaws" }, found.flaws.map((flaw) => h("li", {}, h("b", { class: "number" }, t("admin.line", { n: flaw.line })), h("span", {}, [flaw.column && column(flaw.column), flaw.text].filter(Boolean).join(": ")), flaw.value ? h("code", {}, flaw.value) : null)))) : null,
      found.sample.length ? h("section", {}, h("h3", {}, t("admin.sample")), table(t("admin.sample"), COLUMNS[kind].map((name) => ({ name: column(name), isNumber: NUMBERS.includes(name) || name === "amount", cell: (entry) => shown(name, entry, {}) })), found.sample.slice(0, 8), "")) : null,
      note,
    ],
    footer: [
      found.good && !found.bad && !missing ? h("button", { class: "button primary", type: "button", data: { key: "import-all" }, onClick: () => void run(found.unknown_columns.length > 0) }, plural("admin.import_n", found.good)) : null,
      found.good && found.bad ? h("button", { class: "button primary", type: "button", data: { key: "import-good" }, onClick: () => void run(true) }, plural("admin.import_good", found.good)) : null,
      h("button", { class: "button", type: "button", onClick: () => close() }, t("admin.do_not_import")),
    ].filter(Boolean),
  });
}

function shown(name, entry, departments) {
  const value = entry[name];
  if (name === "amount") return money(value, entry.currency, lang);
  if (name === "department") return value === null || value === undefined ? t("page.company") : departments[value] ?? `#${value}`;
  if (NUMBERS.includes(name)) return new Intl.NumberFormat(lang).format(value);
  if (DAYS.includes(name)) return new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeZone: "UTC" }).format(new Date(`${value}T00:00:00Z`));
  return value;
}

function column(name) {
  return has(`admin.column.${name}`) ? t(`admin.column.${name}`) : name ?? "";
}
