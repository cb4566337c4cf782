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
  info: ["M8 7.2v4", "M8 4.8v.1", "M14.5 8a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0Z"],
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
    else if (name === "value" || name === "checked" || name === "selected" || name === "disabled") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return element;
}

function present(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== undefined));
}
