// Keeps the list of alerts up to date. Without this script the page shows what was there when it was opened.
"use strict";
(() => {
  const panel = document.getElementById("alerts");
  if (!panel) return;
  let shown = panel.textContent.replace(/\s+/g, " ");
  const ask = async () => {
    try {
      const answer = await fetch(panel.dataset.url, { headers: { "X-Requested-With": "fetch" } });
      if (answer.redirected) { window.location.reload(); return; }
      if (answer.ok) {
        const list = new DOMParser().parseFromString(await answer.text(), "text/html").body;
        const said = list.textContent.replace(/\s+/g, " ");
        if (said.trim() !== shown.trim() && !panel.contains(document.activeElement)) { panel.replaceChildren(...list.childNodes); shown = said; }
      }
    } catch { /* the next question will show whether the connection is back */ }
    window.setTimeout(ask, 1000);
  };
  window.setTimeout(ask, 1000);
})();
