/**
 * A grid to type and paste numbers into, like a spreadsheet: arrows move, typing replaces, Enter goes down, Tab
 * while typing goes on, Shift and arrows (or the mouse) choose a range, Delete empties, Ctrl+C and Ctrl+V work with
 * spreadsheets, Ctrl+Z takes back.
 */

import { parseTable } from "./decimals.js";
import { h } from "./dom.js";

/**
 * `columns` are `{key, title, className}`; `rows` `{key, header, className, editable}` (`header`: an element or a text);
 * `cell(row, column)` gives `{text, raw, className, title}`; `onEdit([{row, column, text}])` takes what was typed and
 * returns false to refuse it; `onUndo()`. Returns `{element, refresh(rowKeys?), selection(), focus()}`.
 */
export function makeGrid({ label, corner, columns, rows, cell, onEdit, onUndo, onSelect }) {
  let at = { row: 0, column: 0 };
  let anchor = at;
  let editor = null;
  let dragging = false;
  const cells = rows.map((row, r) => columns.map((column, c) => h("td", { role: "gridcell", tabindex: r || c ? "-1" : "0", "aria-readonly": row.editable ? null : "true", data: { r, c } })));
  const lines = rows.map((row, r) => h("tr", { class: row.className ?? null, data: { row: row.key } }, h("th", { scope: "row", class: "first" }, row.header), cells[r]));
  const table = h("table", { class: "table grid", role: "grid", "aria-label": label, "aria-multiselectable": "true" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col", class: "first" }, corner), columns.map((column) => h("th", { scope: "col", class: column.className ?? null }, column.title)))),
    h("tbody", {}, lines));
  const element = h("div", { class: "table-box grid-box" }, table);

  table.addEventListener("pointerdown", (event) => {
    const place = placeOf(event.target);
    if (!place || editor?.box.contains(event.target)) return;
    commit();
    dragging = true;
    go(place, event.shiftKey);
    event.preventDefault();
  });
  table.addEventListener("pointerover", (event) => dragging && placeOf(event.target) && go(placeOf(event.target), true));
  document.addEventListener("pointerup", () => { dragging = false; });
  table.addEventListener("dblclick", (event) => placeOf(event.target) && !editor && edit());
  table.addEventListener("focusin", (event) => { if (!editor && placeOf(event.target)) { const place = placeOf(event.target); if (place.row !== at.row || place.column !== at.column) go(place, false, false); } });
  table.addEventListener("keydown", onKey);
  element.addEventListener("copy", (event) => {
    if (editor) return;
    event.clipboardData.setData("text/plain", range().map((line) => line.map(({ row, column }) => cell(rows[row], columns[column]).raw).join("\t")).join("\n"));
    event.preventDefault();
  });
  element.addEventListener("paste", (event) => {
    if (editor) return;
    paste(parseTable(event.clipboardData.getData("text/plain")));
    event.preventDefault();
  });

  function onKey(event) {
    if (editor) return undefined;
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-10, 0], PageDown: [10, 0] };
    if (moves[event.key]) {
      event.preventDefault();
      const [down, right] = moves[event.key];
      return go({ row: at.row + down, column: at.column + right }, event.shiftKey);
    }
    if (event.key === "Home" || event.key === "End") {
      event.preventDefault();
      return go({ row: event.ctrlKey ? (event.key === "Home" ? 0 : rows.length - 1) : at.row, column: event.key === "Home" ? 0 : columns.length - 1 }, event.shiftKey);
    }
    if ((event.ctrlKey || event.metaKey) && event.code === "KeyZ") {
      event.preventDefault();
      return onUndo?.();
    }
    if ((event.ctrlKey || event.metaKey) && event.code === "KeyA") {
      event.preventDefault();
      anchor = { row: 0, column: 0 };
      return go({ row: rows.length - 1, column: columns.length - 1 }, true);
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      return write(range().flat().map((place) => ({ ...place, text: "" })));
    }
    if (event.key === "Enter" || event.key === "F2") {
      event.preventDefault();
      return edit();
    }
    if (event.key.length === 1 && /[\d.,\-−]/.test(event.key)) {
      event.preventDefault();
      return edit(event.key);
    }
    return undefined;
  }

  function edit(typed = null) {
    const row = rows[at.row];
    if (!row.editable) return;
    const box = cells[at.row][at.column];
    const input = h("input", { class: "grid-input", inputmode: "decimal", "aria-label": `${typeof row.header === "string" ? row.header : row.name}, ${columns[at.column].title}`, value: typed ?? cell(row, columns[at.column]).raw });
    box.replaceChildren(input);
    editor = { box, input, place: at };
    input.focus();
    if (typed === null) input.select();
    input.addEventListener("keydown", (event) => {
      const next = { Enter: [event.shiftKey ? -1 : 1, 0], Tab: [0, event.shiftKey ? -1 : 1] }[event.key];
      event.stopPropagation();
      if (event.key === "Escape") {
        event.preventDefault();
        close();
        focusCell();
      } else if (next) {
        event.preventDefault();
        if (commit()) go({ row: at.row + next[0], column: at.column + next[1] }, false);
      }
    });
    input.addEventListener("paste", (event) => {
      const pasted = parseTable(event.clipboardData.getData("text/plain"));
      if (pasted.length < 2 && pasted[0].length < 2) return;
      event.preventDefault();
      close();
      paste(pasted);
    });
    input.addEventListener("blur", () => commit());
  }

  /** Take over what was typed; false where it is no number: the field stays open and says so. */
  function commit() {
    if (!editor) return true;
    const { input, place } = editor;
    const before = cell(rows[place.row], columns[place.column]).raw;
    if (input.value === before) {
      close();
      return true;
    }
    const held = editor;
    editor = null;
    if (write([{ ...place, text: input.value }]) !== false) {
      held.box.replaceChildren();
      draw(place.row, place.column);
      return true;
    }
    editor = held;
    input.setAttribute("aria-invalid", "true");
    return false;
  }

  function close() {
    const { place } = editor;
    editor = null;
    draw(place.row, place.column);
  }

  function paste(lines) {
    const single = lines.length === 1 && lines[0].length === 1;
    const chosen = range();
    const places = single ? chosen.flat() : lines.flatMap((line, r) => line.map((_, c) => ({ row: chosen[0][0].row + r, column: chosen[0][0].column + c })));
    const text = (place) => (single ? lines[0][0] : lines[place.row - chosen[0][0].row][place.column - chosen[0][0].column]);
    write(places.filter((place) => place.row < rows.length && place.column < columns.length).map((place) => ({ ...place, text: text(place) })));
  }

  function write(places) {
    const allowed = places.filter(({ row }) => rows[row].editable);
    if (!allowed.length) return undefined;
    return onEdit(allowed.map(({ row, column, text }) => ({ row: rows[row], column: columns[column], text })));
  }

  function go(to, extend, focus = true) {
    at = { row: clamp(to.row, rows.length), column: clamp(to.column, columns.length) };
    if (!extend) anchor = at;
    for (const [r, line] of cells.entries()) for (const [c, box] of line.entries()) {
      const inside = within(r, anchor.row, at.row) && within(c, anchor.column, at.column);
      if (inside !== (box.getAttribute("aria-selected") === "true")) inside ? box.setAttribute("aria-selected", "true") : box.removeAttribute("aria-selected");
      if ((box.tabIndex === 0) !== (r === at.row && c === at.column)) box.tabIndex = r === at.row && c === at.column ? 0 : -1;
    }
    if (focus) focusCell();
    onSelect?.();
  }

  function focusCell() {
    const box = cells[at.row][at.column];
    box.focus({ preventScroll: true });
    box.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function range() {
    const [top, bottom] = [Math.min(anchor.row, at.row), Math.max(anchor.row, at.row)];
    const [left, right] = [Math.min(anchor.column, at.column), Math.max(anchor.column, at.column)];
    return Array.from({ length: bottom - top + 1 }, (_, r) => Array.from({ length: right - left + 1 }, (__, c) => ({ row: top + r, column: left + c })));
  }

  function draw(r, c) {
    if (editor && editor.box === cells[r][c]) return;
    const { text, className, title } = cell(rows[r], columns[c]);
    const box = cells[r][c];
    if (box.textContent !== text || box.firstElementChild) box.textContent = text;
    const wanted = ["number", className].filter(Boolean).join(" ");
    if (box.className !== wanted) box.className = wanted;
    if ((box.title || "") !== (title ?? "")) box.title = title ?? "";
  }

  function refresh() {
    rows.forEach((_, r) => columns.forEach((__, c) => draw(r, c)));
  }

  refresh();
  return {
    element,
    refresh,
    commit,
    selection: () => range().map((line) => line.map(({ row, column }) => ({ row: rows[row], column: columns[column] }))),
    select: (row, column) => go({ row, column }, false, false),
  };
}

function placeOf(target) {
  const box = target.closest?.("td[data-r]");
  return box ? { row: Number(box.dataset.r), column: Number(box.dataset.c) } : null;
}

function clamp(index, length) {
  return Math.max(0, Math.min(index, length - 1));
}

function within(index, a, b) {
  return index >= Math.min(a, b) && index <= Math.max(a, b);
}
