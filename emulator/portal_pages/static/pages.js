/* Behaviour of the portal's own pages: links into sliders, tabs of cards, the stage bar, clock, menu. */
(() => {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-slider]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    link.closest("details[open]")?.removeAttribute("open");
    PortalSlider.open(link.getAttribute("href"), { width: link.dataset.placement ? 1200 : 0 });
  });

  for (const button of document.querySelectorAll(".tabs [data-tab]")) {
    button.addEventListener("click", () => {
      for (const other of document.querySelectorAll(".tabs [data-tab]")) other.classList.toggle("on", other === button);
      for (const tab of document.querySelectorAll(".tab[data-tab]")) {
        tab.hidden = tab.dataset.tab !== button.dataset.tab;
        if (!tab.hidden) PortalFrames.show(tab);
      }
    });
  }
  const asked = new URLSearchParams(location.search).get("active_tab");
  if (asked) document.querySelector(`.tabs [data-tab="${CSS.escape(asked)}"]`)?.click();

  const stages = document.querySelector(".stages");
  const closing = document.getElementById("closing");
  async function move(stage) {
    await PortalFrames.ask("move", { deal: stages.dataset.deal, stage });
    PortalFrames.fire("Kernel::onEntityUpdate", { id: stages.dataset.deal });
    const active = document.querySelector(".tabs .on")?.dataset.tab;
    const url = new URL(location.href);
    if (active && active !== "general") url.searchParams.set("active_tab", active);
    location.replace(url);
  }
  stages?.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if ("close" in button.dataset) closing.hidden = !closing.hidden;
    else move(button.dataset.stage);
  });
  closing?.addEventListener("click", (event) => {
    const button = event.target.closest("[data-stage]");
    if (button) move(button.dataset.stage);
  });

  const clock = document.getElementById("clock");
  function tick() {
    const options = { hour: "2-digit", minute: "2-digit", timeZone: clock.dataset.zone };
    clock.textContent = new Date().toLocaleTimeString(document.documentElement.lang, options);
  }
  if (clock) {
    tick();
    setInterval(tick, 10_000);
  }
  document.getElementById("burger")?.addEventListener("click", () => document.body.classList.toggle("menu-small"));
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.me[open]")) {
      if (!open.contains(event.target)) open.removeAttribute("open");
    }
  });
})();
