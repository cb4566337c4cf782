/** Exact numbers as people type and paste them. Pure: strings in, strings out, no floats on the way. */

/**
 * The plain decimal ("1500000.5") that somebody meant by "1 500 000,50 ₽", "1,500,000.50" or "70 %"; null where it
 * is no number. `""` stands for an empty cell. A single separator with three digits after it is taken for
 * thousands in English and where it repeats.
 */
export function parseNumber(text, lang) {
  const said = text.replace(/[\s\u00a0\u202f'’]/g, "").replace(/[−–]/g, "-").replace(/^[^\d.,-]+|[^\d]+$/g, "");
  if (!text.trim()) return "";
  if (!/^-?[\d.,]*\d$/.test(said)) return null;
  const separators = said.match(/[.,]/g) ?? [];
  const last = separators.at(-1);
  let decimals = "";
  let whole = said;
  if (last) {
    const [tail] = said.split(last).slice(-1);
    const repeats = separators.filter((one) => one === last).length > 1;
    const isThousands = repeats || (separators.length === 1 && tail.length === 3 && last === (lang === "en" ? "," : "."));
    if (!isThousands) {
      decimals = tail;
      whole = said.slice(0, said.length - tail.length - 1);
    }
  }
  const digits = whole.replace(/[.,]/g, "") || "0";
  return tidy(decimals ? `${digits}.${decimals}` : digits);
}

/** The decimal with its point moved: `shift("0.705", 2)` is `"70.5"`. */
export function shift(decimal, places) {
  const sign = decimal.startsWith("-") ? "-" : "";
  const [whole, part = ""] = decimal.replace("-", "").split(".");
  const digits = `${whole}${part}`;
  const point = whole.length + places;
  const padded = point <= 0 ? `${"0".repeat(1 - point)}${digits}` : digits.padEnd(point, "0");
  const at = Math.max(point, 1);
  return tidy(`${sign}${padded.slice(0, at)}.${padded.slice(at)}`);
}

/** The sum of decimals, exactly. */
export function add(...decimals) {
  const places = Math.max(...decimals.map((one) => (one.split(".")[1] ?? "").length), 0);
  const total = decimals.reduce((sum, one) => sum + BigInt(shift(one, places)), 0n);
  return shift(String(total), -places);
}

/** Rows of cells as a spreadsheet puts them on the clipboard. */
export function parseTable(text) {
  const lines = text.replace(/\r\n?/g, "\n").replace(/\n$/, "").split("\n");
  return lines.map((line) => line.split("\t"));
}

function tidy(decimal) {
  const sign = decimal.startsWith("-") ? "-" : "";
  const [whole, part = ""] = decimal.replace("-", "").split(".");
  const digits = whole.replace(/^0+(?=\d)/, "") || "0";
  const kept = part.replace(/0+$/, "");
  const text = kept ? `${digits}.${kept}` : digits;
  return text === "0" ? "0" : `${sign}${text}`;
}
