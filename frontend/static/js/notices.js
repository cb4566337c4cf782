/** What must be said above the numbers: what is still being read, what cannot be read, what went wrong. */

import { api, boot, bridge, lang, t, has } from "./context.js";
import { h, icon } from "./dom.js";
import { moment, percent } from "./format.js";
import { days } from "./periods.js";

/** True if the state of the sources must be asked for, to explain an answer. */
export function needsSync(answer, age) {
  return Boolean(answer && (answer.complete === false || age));
}

/** What a source is called; `titles` are those of smart processes by number, where they are known. */
export function sourceName(source, titles = {}) {
  const [, number, history] = /^tickets_(\d+)(_history)?$/.exec(source) ?? [];
  if (number) return t(history ? "sources.ticket_history" : "sources.tickets", { name: titles[number] ?? `№ ${number}` });
  return has(`sources.${source}`) ? t(`sources.${source}`) : source;
}

/** Notices for an answer (null if there is none yet), its error, and the state of the sources. */
export function notices({ answer, error, sync, onRetry }) {
  const found = [];
  if (api.isExpired()) found.push(expired());
  else if (error) found.push(failure(error, answer, onRetry));
  if (answer && answer.complete === false) found.push(reading(answer, sync));
  for (const problem of sync?.problems ?? []) found.push(trouble(problem, sync.titles));
  return found.filter(Boolean);
}

function reading(answer, sync) {
  const progress = Math.min(answer.progress ?? sync?.progress ?? 0, 0.99);
  if (sync?.complete === false && sync.progress >= 1) return null; // all is read that may be read
  const since = answer.values?.map((value) => value.since).filter(Boolean).sort().at(-1);
  const today = boot.layout?.today ?? answer.from;
  return h("div", { class: "notice", role: "status" }, icon("wait"),
    h("div", { class: "grow" }, since
      ? t("notice.partial", { since: days({ from: since, to: nextDay(since) }, today, lang), share: percent(progress, lang) })
      : t("notice.reading", { share: percent(progress, lang) }),
    h("div", { class: "meter thin", role: "progressbar", "aria-label": t("notice.progress"), "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": String(Math.round(progress * 100)) },
      h("i", { style: { width: `${progress * 100}%` } }))));
}

function failure(error, answer, onRetry) {
  const key = `error.http_${error.status}`;
  const text = has(key) ? t(key) : t("error.other");
  const stale = answer?.as_of ? t("notice.stale", { time: moment(answer.as_of, { lang, timezone: answer.timezone, now: new Date() }) }) : "";
  return h("div", { class: error.status === 403 ? "notice" : "notice warn", role: "alert" }, icon(error.status === 403 ? "lock" : "warn"),
    h("p", { class: "grow" }, error.numbered(text), " ", stale),
    error.status !== 403 && h("button", { class: "button", type: "button", data: { key: "retry" }, onClick: onRetry }, icon("retry"), t("action.retry")));
}

function trouble(problem, titles) {
  const [kind, about = ""] = problem.split(":"); // a source, or of the portal as a whole the code of its error
  const key = `problem.${kind}`;
  if (!has(key)) return null;
  return h("div", { class: "notice warn", role: "status", data: { problem } }, icon("warn"),
    h("p", { class: "grow" }, t(key, kind === "portal_failing" ? { reason: portalError(about) } : { source: sourceName(about, titles) })));
}

/** What a code of the portal's failure means. */
export function portalError(code) {
  return has(`portal_error.${code}`) ? t(`portal_error.${code}`) : t("portal_error.other", { code });
}

function expired() {
  return h("div", { class: "notice warn", role: "alert" }, icon("warn"), h("p", { class: "grow" }, t("error.http_401")),
    h("button", { class: "button", type: "button", data: { key: "relaunch" }, onClick: async () => (await bridge.relaunch()) || (await bridge.reload()) || location.reload() }, icon("retry"), t("action.reload")));
}

function nextDay(day) {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86400000).toISOString().slice(0, 10);
}
