/** Builds elements. Pure apart from the document it creates them in. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element with properties and children. `on…` adds a listener, `data` fills the dataset, `style` sets
 * single properties (the page's policy forbids style attributes), null and false leave a property out.
 */
export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same for a drawing. */
export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

const ICONS = {
  gear: ["M8 10.3a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6Z", "M8 1.5v2", "M8 12.5v2", "M1.5 8h2", "M12.5 8h2", "m3.4 3.4 1.4 1.4", "m11.2 11.2 1.4 1.4", "m12.6 3.4-1.4 1.4", "m4.8 11.2-1.4 1.4"],
  plus: ["M8 3v10", "M3 8h10"],
  info: ["M8 7.2v4", "M8 4.8v.1", "M14.5 8a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0Z"],
  help: ["M14.5 8a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0Z", "M6.2 6.4a1.9 1.9 0 1 1 2.7 1.7c-.6.3-.9.7-.9 1.3", "M8 11.6v.1"],
  close: ["m3.5 3.5 9 9", "m12.5 3.5-9 9"],
  left: ["m10 3-5 5 5 5"],
  right: ["m6 3 5 5-5 5"],
  down: ["m4 6 4 4 4-4"],
  arrow: ["M8 3v10", "m4 9 4 4 4-4"],
  check: ["m3 8.5 3.2 3.2L13 5"],
  warn: ["M8 2.2 14.6 13.6H1.4Z", "M8 6.6v3.2", "M8 11.7v.1"],
  wait: ["M8 1.5a6.5 6.5 0 1 0 6.5 6.5"],
  dot: ["M8 8v.1", "M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0Z"],
  export: ["M8 2v8", "m4.8 6.8 3.2 3.2 3.2-3.2", "M2.5 11v2.5h11V11"],
  print: ["M4.5 6V2h7v4", "M4.5 12H2V6h12v6h-2.5", "M4.5 9.5h7V14h-7Z"],
  theme: ["M8 1.8a6.2 6.2 0 1 0 0 12.4Z", "M8 1.8a6.2 6.2 0 0 1 0 12.4"],
  table: ["M2 3h12v10H2Z", "M2 6.5h12", "M2 9.8h12", "M6.5 6.5V13"],
  chart: ["M2 14h12", "M4.5 11V8", "M8 11V4", "M11.5 11V6"],
  columns: ["M2 3h12v10H2Z", "M6 3v10", "M10 3v10"],
  calendar: ["M2 4h12v10H2Z", "M2 7.5h12", "M5 2v3", "M11 2v3"],
  retry: ["M13.5 8a5.5 5.5 0 1 1-1.7-4", "M12 1.5V4.2H9.3"],
  lock: ["M3.5 7h9v7h-9Z", "M5.5 7V4.6a2.5 2.5 0 0 1 5 0V7"],
  star: ["m8 1.8 1.9 3.9 4.3.6-3.1 3 .7 4.3L8 11.6l-3.8 2 .7-4.3-3.1-3 4.3-.6Z"],
  down_right: ["m3.5 4 8 8", "M11.8 6.4v5.8H6"],
  dots: ["M3.5 8v.1", "M8 8v.1", "M12.5 8v.1"],
  dash: ["M4 8h8"],
  flag: ["M3.5 14.5v-13", "M3.5 2.5h8.8L10.4 5.8l1.9 3.2H3.5"],
  tv: ["M2 3h12v8.5H2Z", "M5.5 14h5"],
  link: ["M6.5 9.5a3 3 0 0 0 4.3 0l2.3-2.3a3 3 0 0 0-4.3-4.3l-.9.9", "M9.5 6.5a3 3 0 0 0-4.3 0L2.9 8.8a3 3 0 0 0 4.3 4.3l.9-.9"],
  task: ["M2.5 2.5h11v11h-11Z", "m5 8.2 2.2 2.2L11 6"],
  chat: ["M2 3h12v8H7.5L4.5 13.8V11H2Z"],
  undo: ["M5.5 3 2.5 6l3 3", "M2.8 6h6.4a4 4 0 0 1 0 8H6"],
  fill: ["M2 8h10", "m9 5 3 3-3 3", "M14 3v10"],
  copy: ["M5.5 5.5h8v8h-8Z", "M10.5 5.5v-3h-8v8h3"],
  spark: ["M8 1.8v3.4", "M8 10.8v3.4", "M1.8 8h3.4", "M10.8 8h3.4", "m4 4 1.8 1.8", "m10.2 10.2 1.8 1.8", "M12 4l-1.8 1.8", "M5.8 10.2 4 12"],
  history: ["M2.5 8a5.5 5.5 0 1 0 1.7-4", "M4 1.8V4.5h2.7", "M8 5v3.3l2.2 1.3"],
  note: ["M3 2h10v12H3Z", "M5.5 5.5h5", "M5.5 8h5", "M5.5 10.5h3"],
  people: ["M6 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z", "M1.5 13.5c0-2.6 2-4 4.5-4s4.5 1.4 4.5 4", "M11 3a2.3 2.3 0 0 1 0 4.4", "M12.4 9.8c1.4.5 2.1 1.8 2.1 3.7"],
  full: ["M2.5 6V2.5H6", "M10 2.5h3.5V6", "M13.5 10v3.5H10", "M6 13.5H2.5V10"],
  trash: ["M3 4.5h10", "M6 4.5V2.5h4v2", "m4.2 4.5.6 9h6.4l.6-9"],
  open: ["M9.5 2.5h4v4", "m13.3 2.7-6 6", "M11.5 9v4.5h-9v-9H7"],
};

/** A decorative line icon; what it means must stand beside it or in the control's label. */
export function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" },
    ...ICONS[name].map((d) => svg("path", { d })));
}

/**
 * Put new children into a container; the focus stays with the control of the same `data-key`, scroll
 * positions with the box of the same key.
 */
export function replace(container, ...children) {
  const key = container.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const scrolls = [...container.querySelectorAll("[data-scroll]")].map((box) =>
    [box.dataset.scroll, box.scrollLeft, box.scrollTop]);
  container.replaceChildren(...children.flat(Infinity).filter(Boolean));
  for (const [name, left, top] of scrolls) {
    const box = container.querySelector(`[data-scroll="${name}"]`);
    if (box) [box.scrollLeft, box.scrollTop] = [left, top];
  }
  if (key) container.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2).toLowerCase(), value);
    else if (name === "data") Object.assign(element.dataset, present(value));
    else if (name === "style") for (const [key, to] of Object.entries(value)) element.style.setProperty(key, to);
    else if (["value", "checked", "selected", "disabled", "indeterminate"].includes(name)) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return element;
}

function present(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== undefined));
}
