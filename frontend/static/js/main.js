/** Starts the page: theme, then the view that the placement asks for. */

import { boot, bridge } from "./context.js";
import { applyTheme } from "./period_bar.js";
import { readState } from "./state.js";
import { showDeal } from "./views/deal.js";
import { showPage } from "./views/page.js";
import { showRecord } from "./views/record.js";

const root = document.getElementById("app");
const defaults = { scope: boot.layout?.scope ?? "me", compare: "previous", choice: { kind: "month", offset: 0 }, trend: null };

applyTheme();
document.addEventListener("session-expired", () => void bridge.relaunch());

if (boot.view === "deal") showDeal(root);
else if (boot.entity.record) showRecord(root);
else showPage(root, readState(location.hash || boot.shared || "", defaults));
