/* Sliders: a page of the portal over the present one, from the right. One stack for all nested pages. */
(() => {
  const host = (() => {
    try {
      return window !== window.top && window.top.PortalSlider ? window.top.PortalSlider : null;
    } catch {
      return null; // the portal itself stands in a foreign page
    }
  })();
  if (host) {
    window.PortalSlider = host;
    return;
  }

  const stack = [];

  function open(path, { width = 0, onClose = () => {}, opener = window } = {}) {
    const url = new URL(path, location.origin);
    url.searchParams.set("IFRAME", "Y");
    url.searchParams.set("IFRAME_TYPE", "SIDE_SLIDER");
    const layer = document.createElement("div");
    layer.className = "slider";
    const panel = document.createElement("div");
    panel.className = "slider-panel";
    panel.style.setProperty("--depth", String(stack.length));
    if (width > 0) panel.style.maxWidth = `${width}px`;
    const label = document.createElement("button");
    label.type = "button";
    label.className = "slider-close";
    label.textContent = "✕";
    label.addEventListener("click", close);
    layer.addEventListener("click", (event) => event.target === layer && close());
    const frame = document.createElement("iframe");
    frame.className = "slider-frame";
    frame.src = url.href;
    panel.append(label, frame);
    layer.append(panel);
    document.body.append(layer);
    document.documentElement.classList.add("has-slider");
    requestAnimationFrame(() => layer.classList.add("shown"));
    stack.push({ layer, onClose, opener });
  }

  function close() {
    const entry = stack.pop();
    if (!entry) return;
    entry.layer.remove();
    if (!stack.length) document.documentElement.classList.remove("has-slider");
    entry.onClose();
  }

  document.addEventListener("keydown", (event) => event.key === "Escape" && close());
  window.PortalSlider = { open, close, depth: () => stack.length };
})();
