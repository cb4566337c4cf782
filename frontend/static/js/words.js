/** Texts of the page, from the table that came with it. */

/** `t("delta.was_zero")`, `t("a.b", {n: 3})`, `plural("deals", 3)`; a missing text shows its key. */
export function makeWords(strings, lang) {
  const rules = new Intl.PluralRules(lang);
  const find = (key) => key.split(".").reduce((node, part) => node?.[part], strings);

  function t(key, values = {}) {
    const text = find(key);
    if (typeof text !== "string") return key;
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
  }

  /** The form of the text that fits the number; `{n}` in it is the number, or `shown` where given. */
  function plural(key, n, values = {}) {
    const forms = find(key) ?? {};
    const form = forms[rules.select(n)] ? rules.select(n) : "other";
    return t(`${key}.${form}`, { n: number.format(n), ...values });
  }

  const number = new Intl.NumberFormat(lang);
  return { lang, t, plural, has: (key) => typeof find(key) === "string" };
}
