/* The host side of the frame protocol: opens frames of applications and answers what they post.

   A frame posts `command ":" [JSON ":"] callback ":" sid` to the portal's origin; the host answers
   `callback ":" [JSON]` to the app's origin. Refused and unknown commands are ignored silently. */
(() => {
  const ALLOWED_PATH =
    /^\/(crm\/(deal|lead|contact|company|type)|marketplace|company\/personal\/user\/[0-9]+|workgroups\/group\/[0-9]+)\//;
  const WIDTHS = [
    ["/crm/type/0/details/0/../", 1200],
    ["/company/personal/user/0/groups/create/../", 950],
    ["/crm/company/requisite/0/../", 900],
    ["/workgroups/group/0/card/../", 850],
  ];
  const PAGE_ONLY = new Set(["setTitle", "setScroll", "reloadWindow"]);
  const frames = [];

  async function ask(name, params) {
    const response = await fetch(`/_host/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(params),
    });
    return response.json();
  }

  const commands = {
    getInitData: (frame) => frame.config.init,
    getInterface: (frame) => frame.config.interface,
    refreshAuth: (frame) => ask("refresh", { app: frame.config.app }),
    resizeWindow(frame, { width, height }) {
      if (width) frame.iframe.style.width = width === "100%" ? "100%" : `${parseInt(width, 10)}px`;
      if (height) frame.iframe.style.height = `${parseInt(height, 10)}px`;
      return { width: frame.iframe.offsetWidth, height: frame.iframe.offsetHeight };
    },
    setTitle(_frame, params) {
      const heading = document.getElementById("pagetitle");
      if (heading) heading.textContent = params.title;
      return params;
    },
    setScroll(_frame, params) {
      window.scrollTo(0, params.scroll);
      return params;
    },
    reloadWindow() {
      location.reload();
    },
    setInstall: (frame, params) => ask("opened", { ...params, app: frame.config.app }),
    async setInstallFinish(frame) {
      await ask("installed", { app: frame.config.app });
      const url = new URL(location.href);
      url.searchParams.set("install_finished", "Y");
      location.replace(url);
    },
    setAppOption: async (frame, params) =>
      (await ask("app_option", { ...params, app: frame.config.app })) ?? undefined,
    setUserOption: (frame, params) => ask("user_option", { ...params, app: frame.config.app }),
    async selectUser(_frame, { mult }) {
      const picked = await PortalDialogs.pick(PortalDialogs.texts.users, await ask("users", {}), mult);
      if (!picked) return null;
      return mult ? picked : (picked[0] ?? null);
    },
    async selectAccess(_frame, { value }) {
      const taken = new Set(value ?? []);
      const rows = (await ask("access", {})).filter((row) => !taken.has(row.id));
      return (await PortalDialogs.pick(PortalDialogs.texts.access, rows, true)) ?? [];
    },
    async selectCRM(_frame, { entityType, multiple }) {
      const rows = await ask("items", { entityType });
      const picked = (await PortalDialogs.pick(PortalDialogs.texts.crm, rows, multiple)) ?? [];
      const buckets = {};
      for (const row of picked) {
        const bucket = (buckets[row.type] ??= {});
        bucket[Object.keys(bucket).length] = row;
      }
      return buckets;
    },
    openPath: (_frame, { path }) =>
      new Promise((resolve) => {
        if (typeof path !== "string" || !ALLOWED_PATH.test(path)) {
          resolve({ result: "error", errorCode: "PATH_NOT_AVAILABLE" });
          return;
        }
        const width = WIDTHS.find(([start]) => path.startsWith(start))?.[1] ?? 0;
        PortalSlider.open(path, { width, onClose: () => resolve({ result: "close" }) });
      }),
    openApplication: (frame, params = {}) =>
      new Promise((resolve) => {
        const own = Object.fromEntries(Object.entries(params).filter(([key]) => !key.startsWith("bx24_")));
        const payload = own.options && own.params ? own.params : own;
        const path = `/marketplace/app/${frame.config.app}/?payload=${encodeURIComponent(JSON.stringify(payload))}`;
        if (params.bx24_title) document.title = params.bx24_title;
        PortalSlider.open(path, { width: parseInt(params.bx24_width, 10) || 0, onClose: () => resolve({}) });
      }),
    closeApplication() {
      PortalSlider.close();
    },
    placementBindEvent(frame, { event }, callback) {
      frame.bound.push({ event, callback });
    },
    reloadData: () => ({}),
    imCallTo() {},
    imPhoneTo() {},
    imOpenMessenger() {},
    imOpenHistory() {},
  };

  /** {command, params, callback, sid} of a posted message, or null when it is none of ours. */
  function parse(message) {
    if (typeof message === "object" && message?.method) {
      return { command: message.method, params: message.params || {}, callback: message.callback, sid: message.appSid };
    }
    if (typeof message !== "string") return null;
    const parts = message.split(":");
    if (parts.length < 3) return null;
    const [command, sid, callback] = [parts[0], parts.at(-1), parts.at(-2)];
    const text = parts.slice(1, -2).join(":");
    try {
      return { command, params: text ? JSON.parse(text) : {}, callback, sid };
    } catch {
      return null;
    }
  }

  function post(frame, callback, result) {
    const text = result === undefined ? "" : JSON.stringify(result);
    frame.iframe.contentWindow.postMessage(`${callback}:${text}`, frame.config.origin);
  }

  async function onMessage(event) {
    const frame = frames.find((one) => one.iframe.contentWindow === event.source);
    if (!frame || event.origin !== frame.config.origin) return;
    const message = parse(event.data);
    if (!message || message.sid !== frame.config.sid) return;
    const isPage = frame.config.init.PLACEMENT === "DEFAULT";
    if (!Object.hasOwn(commands, message.command) || (PAGE_ONLY.has(message.command) && !isPage)) return;
    const result = await commands[message.command](frame, message.params, message.callback);
    if (result !== undefined) post(frame, message.callback, result);
  }

  function start(frame) {
    if (frame.isOpen) return;
    frame.isOpen = true;
    const form = frame.element.querySelector("form");
    if (form) form.submit();
    else frame.iframe.src = frame.iframe.dataset.src;
  }

  for (const element of document.querySelectorAll(".app-frame")) {
    const frame = {
      element,
      iframe: element.querySelector("iframe"),
      config: JSON.parse(element.querySelector(".app-frame-config").textContent),
      bound: [],
      isOpen: false,
    };
    frames.push(frame);
    if (element.dataset.lazy === "0") start(frame);
  }
  window.addEventListener("message", onMessage);

  window.PortalFrames = {
    /** Opens the frame inside an element, once. */
    show(container) {
      frames.filter((frame) => container.contains(frame.element)).forEach(start);
    },
    /** Tells every frame that has bound this event. */
    fire(event, data) {
      for (const frame of frames) {
        for (const bound of frame.bound) if (bound.event === event) post(frame, bound.callback, data);
      }
    },
    ask,
  };
})();
