/** What is read from the portal, and how far: for those who set the app up, and while there are no numbers yet. */

import { boot, lang, t } from "../context.js";
import { h, icon } from "../dom.js";
import { percent } from "../format.js";
import { notices } from "../notices.js";
import * as requests from "../requests.js";
import { memo, screen } from "../screen.js";

const GLYPHS = { ready: "check", reading: "wait", pending: "dot", off: "warn" };

/** Draw the list of sources. */
export function showSetup(root) {
  const box = { notices: h("div", { class: "block-notices" }), list: h("div") };
  root.replaceChildren(box.notices, box.list);
  const page = screen({ needs: () => ({ sync: requests.sync }), draw });

  function draw(held) {
    const sync = held.sync?.body ?? null;
    memo(box.notices, [sync, held.sync?.error], () => notices({ answer: null, error: held.sync?.error, sync, onRetry: page.retry }));
    memo(box.list, [sync], () => (sync ? sources(sync) : h("p", { role: "status" }, t("state.loading"))));
  }

  void page.refresh();
}

function sources(sync) {
  return h("section", { class: "panel" },
    h("div", { class: "panel-head" }, h("h1", {}, t("setup.title")), h("span", { class: "aside" }, sync.complete ? t("setup.complete") : percent(sync.progress, lang))),
    h("ul", { class: "steps panel-body" }, sync.sources.map((source) =>
      h("li", { data: { state: source.state === "off" ? "missing" : source.state } }, icon(GLYPHS[source.state] ?? "dot"),
        h("b", {}, t(`sources.${source.source}`)),
        h("span", { class: "aside number" }, source.state === "reading" ? percent(source.progress, lang) : t(`setup.${source.state}`)),
        source.reason && h("p", {}, t(`state.${source.reason}`)),
        source.state === "reading" && h("div", { class: "meter thin" }, h("i", { style: { width: `${source.progress * 100}%` } }))))),
    boot.viewer.is_admin ? null : h("p", { class: "panel-body aside" }, t("setup.ask_admin")));
}
