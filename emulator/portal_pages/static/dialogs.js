/* The portal's selection dialogs: people, access rights, CRM items. */
(() => {
  const texts = JSON.parse(document.getElementById("dialog-texts").textContent);

  /** Lets the visitor pick of `rows` ({id, name | title}); resolves with the picked rows, null when given up. */
  function pick(title, rows, multiple) {
    return new Promise((resolve) => {
      const dialog = document.createElement("dialog");
      dialog.className = "picker";
      const heading = document.createElement("h2");
      heading.textContent = title;
      const search = document.createElement("input");
      search.type = "search";
      search.placeholder = texts.search;
      const list = document.createElement("div");
      list.className = "picker-list";
      for (const row of rows) {
        const label = document.createElement("label");
        const box = document.createElement("input");
        box.type = multiple ? "checkbox" : "radio";
        box.name = "picked";
        box.value = row.id;
        label.append(box, ` ${row.name ?? row.title}`);
        list.append(label);
      }
      search.addEventListener("input", () => {
        const words = search.value.toLowerCase();
        for (const label of list.children) label.hidden = !label.textContent.toLowerCase().includes(words);
      });
      const choose = button(texts.choose, "button primary", () => {
        const ids = new Set([...list.querySelectorAll(":checked")].map((box) => box.value));
        finish(rows.filter((row) => ids.has(String(row.id))));
      });
      const cancel = button(texts.cancel, "button ghost", () => finish(null));
      const buttons = document.createElement("footer");
      buttons.append(choose, cancel);
      dialog.append(heading, search, list, buttons);
      dialog.addEventListener("cancel", () => finish(null));
      document.body.append(dialog);
      dialog.showModal();

      function finish(answer) {
        dialog.remove();
        resolve(answer);
      }
    });
  }

  function button(text, className, onClick) {
    const element = document.createElement("button");
    element.type = "button";
    element.className = className;
    element.textContent = text;
    element.addEventListener("click", onClick);
    return element;
  }

  window.PortalDialogs = { pick, texts };
})();
