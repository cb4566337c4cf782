/** Programs that may ask the API: made here, the secret shown once, ended at once. */

import { api, boot, lang, t } from "../context.js";
import { h, icon, replace } from "../dom.js";
import { moment } from "../format.js";
import { input, labelled, loaded, panel, problem, table } from "./parts.js";

const PATH = "/api/v1/api-clients";

export function showClients(box, made = null) {
  void loaded(box, () => api.fresh(PATH), ({ clients }) => {
    let name = "";
    const note = h("p", { class: "form-note", role: "status" });
    const create = async () => {
      try {
        showClients(box, await api.post(PATH, { name }));
      } catch (error) {
        replace(note, icon("warn"), problem(error));
      }
    };
    const end = async (client) => {
      await api.remove(`${PATH}/${client.client_id}`);
      showClients(box);
    };
    return [
      made ? h("div", { class: "notice secret", role: "status" }, icon("lock"), h("div", { class: "grow" }, h("b", {}, t("admin.secret_once")),
        h("dl", {}, h("dt", {}, "client_id"), h("dd", {}, h("code", {}, made.client_id)), h("dt", {}, "client_secret"), h("dd", {}, h("code", {}, made.client_secret))))) : null,
      panel(t("admin.new_client"), null, h("p", { class: "aside" }, t("admin.hint.clients")),
        h("form", { class: "fields", onSubmit: (event) => { event.preventDefault(); void create(); } },
          labelled(t("admin.name"), input("", (value) => { name = value; }, { required: true, maxlength: "200" })),
          h("button", { class: "button primary", type: "submit", data: { key: "client-new" } }, t("admin.create"))), note),
      h("section", { class: "panel" }, h("div", { class: "panel-head" }, h("h2", {}, t("admin.tab.clients"))),
        table(t("admin.tab.clients"), [
          { name: t("admin.name"), cell: (client) => h("b", {}, client.name) },
          { name: "client_id", cell: (client) => h("code", {}, client.client_id) },
          { name: t("admin.made_at"), cell: (client) => moment(client.created_at, { lang, timezone: boot.portal.timezone, now: new Date() }) },
          { name: t("admin.action"), cell: (client) => h("button", { class: "button quiet inline", type: "button", "aria-label": `${t("admin.revoke")}: ${client.name}`, onClick: () => void end(client) }, t("admin.revoke")) },
        ], clients, t("admin.no_clients"))),
    ];
  });
}
