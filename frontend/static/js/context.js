/** What came with the page, and the services made from it: one place, imported by everything that draws. */

import { makeApi } from "./api.js";
import { makeBridge } from "./portal_bridge.js";
import { makeWords } from "./words.js";

export const boot = JSON.parse(document.getElementById("b24app-boot").textContent);

/** Texts come as files that the browser keeps; the installation, which opens once, brings its own. */
const tables = await Promise.all((boot.words ?? []).map(async (address) => (await fetch(address)).json()));
const texts = Object.assign({}, ...tables.map(({ catalog }) => catalog));

export const { lang, t, plural, has } = makeWords(
  Object.assign({}, boot.strings, ...tables.map(({ strings }) => strings)),
  boot.lang,
);
export const bridge = makeBridge(boot.portal?.origin ?? location.origin, boot.portal?.link);
export const api = makeApi({
  token: document.querySelector('meta[name="b24app-session"]')?.content ?? "",
  first: boot.first,
  closed: boot.layout?.is_closed ? boot.layout.scope : null,
  onExpired: () => document.dispatchEvent(new CustomEvent("session-expired")),
});

/** The catalogue on this portal, in its order. */
export const metrics = (boot.catalog ?? []).map((metric) => ({ ...metric, ...texts[metric.key][metric.words] }));
const byKey = new Map(metrics.map((metric) => [metric.key, metric]));

/** A metric of the catalogue; one that the catalogue lacks is shown under its key. */
export function metricOf(key) {
  return byKey.get(key) ?? { key, name: key, unit: "count", better: "none", meaning: "", formula: "" };
}

/** How to write the numbers of an answer. */
export function style(answer) {
  return { lang, t, currency: answer?.currency ?? null };
}
