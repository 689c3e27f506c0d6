// Keeps the list of alerts up to date. Without this script the page shows what was there when it was opened.
"use strict";
(() => {
  const panel = document.getElementById("alerts");
  if (!panel) return;
  let shown = panel.innerHTML.trim();
  const ask = async () => {
    try {
      const answer = await fetch(panel.dataset.url, { headers: { "X-Requested-With": "fetch" } });
      if (answer.redirected) { window.location.reload(); return; }
      if (answer.ok) {
        const text = (await answer.text()).trim();
        if (text !== shown && !panel.contains(document.activeElement)) { panel.innerHTML = text; shown = text; }
      }
    } catch { /* the next question will show whether the connection is back */ }
    window.setTimeout(ask, 1000);
  };
  window.setTimeout(ask, 1000);
})();
