/** The portal around the frame, through the official SDK. Outside a frame every wish has a plain fallback. */

import { library } from "./libraries.js";

const HANDSHAKE_MS = 8000;

/** True inside a frame that a portal has opened: the frame's name says whose it is. */
export function isFramed() {
  return window.parent !== window && window.name.split("|").length >= 3;
}

/**
 * The bridge; `origin` is the portal's address, for links when there is no SDK, `link` the portal's address of a
 * view of the app (null: it has none).
 */
export function makeBridge(origin, link = null) {
  const ready = isFramed() ? connect() : Promise.resolve(null);
  let lastHeight = 0;

  async function connect() {
    try {
      await library("jssdk");
      return await Promise.race([window.B24Js.initializeB24Frame(), after(HANDSHAKE_MS)]);
    } catch {
      return null; // numbers matter more than the frame's height
    }
  }

  /** Make the frame as high as its content, so that the page has no scroll bar of its own. */
  async function fit() {
    const b24 = await ready;
    const height = Math.ceil(document.body.getBoundingClientRect().height);
    if (!b24 || Math.abs(height - lastHeight) < 2) return;
    lastHeight = height;
    await b24.parent.message.send("resizeWindow", { width: "100%", height, isSafely: true });
  }

  /** Keep fitting as the content grows and shrinks. */
  function keepFitting() {
    if (!isFramed()) return;
    new ResizeObserver(() => void fit()).observe(document.body);
  }

  /** A page of the portal in its slider. */
  async function open(path) {
    const b24 = await ready;
    if (b24) {
      const result = await b24.slider.openPath(new URL(path, b24.getTargetOrigin())).catch(() => null);
      if (result) return;
    }
    window.open(new URL(path, origin), "_blank", "noopener");
  }

  /** The portal's page anew; nothing happens where the portal does not allow it. */
  async function reload() {
    const b24 = await ready;
    if (b24) await b24.parent.reloadWindow().catch(() => null);
  }

  /**
   * Open this page again with a fresh token of the portal, as the portal itself would: the session of a
   * frame is short, and a new launch is the only way to another. False without a portal.
   */
  async function relaunch() {
    const b24 = await ready;
    const auth = b24 && (await b24.auth.refreshAuth().catch(() => null));
    if (!auth) return false;
    const [domain, protocol, sid] = window.name.split("|");
    const query = new URLSearchParams({ DOMAIN: domain, PROTOCOL: protocol, LANG: b24.getLang(), APP_SID: sid });
    const fields = {
      AUTH_ID: auth.access_token,
      REFRESH_ID: auth.refresh_token,
      AUTH_EXPIRES: auth.expires_in,
      member_id: auth.member_id,
      PLACEMENT: b24.placement.title,
      PLACEMENT_OPTIONS: JSON.stringify(b24.placement.options ?? {}),
    };
    const form = document.createElement("form");
    Object.assign(form, { method: "post", action: `/?${query}${location.hash}` });
    for (const [name, value] of Object.entries(fields)) {
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value: value ?? "" }));
    }
    document.body.append(form);
    form.submit();
    return true;
  }

  /** Tell the portal that the installation is done; it then opens the app. */
  async function finishInstall() {
    const b24 = await ready;
    if (!b24) return false;
    await b24.installFinish();
    return true;
  }

  /**
   * The result of a REST method, called with the viewer's own rights; null without a portal.
   * Rejects with what the portal says where it refuses.
   */
  async function call(method, params) {
    const b24 = await ready;
    if (!b24) return null;
    const answer = await b24.actions.v2.call.make({ method, params, requestId: `b24app-${Date.now()}` });
    if (!answer.isSuccess) throw new Error(answer.getErrorMessages().join("; "));
    return answer.getData();
  }

  /** The messenger with a user; false without a portal. */
  async function openChat(userId) {
    const b24 = await ready;
    if (!b24) return false;
    await b24.parent.message.send("imOpenMessenger", { dialogId: String(userId), isSafely: true });
    return true;
  }

  /** An address that opens what is on the screen: of the portal where it has one for the app, else of this page. */
  function shareLink(hash) {
    return link ? `${link}?params[view]=${encodeURIComponent(hash.replace(/^#/, ""))}` : `${location.origin}${location.pathname}${hash}`;
  }

  return { ready, fit, keepFitting, open, reload, relaunch, finishInstall, call, openChat, shareLink };
}

function after(ms) {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("no answer from the portal")), ms));
}
