// Keeps the progress bar alive and toggles favourites in place. Without this script the page reloads itself.
"use strict";
(() => {
  const panel = document.getElementById("progress");
  const ask = async () => {
    try {
      const answer = await fetch(panel.dataset.url, { headers: { Accept: "application/json" } });
      const state = await answer.json();
      if (!state.open) { window.location.reload(); return; }
      document.getElementById("bar").value = state.percent;
      document.getElementById("percent").textContent = `${state.percent} %`;
      const sentence = document.getElementById("sentence");
      if (sentence.textContent !== state.sentence) sentence.textContent = state.sentence;
    } catch { /* the next question will show whether the connection is back */ }
    window.setTimeout(ask, 700);
  };
  if (panel) window.setTimeout(ask, 500);

  for (const form of document.querySelectorAll("[data-favourite]")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
      if (!answer.ok) { form.submit(); return; }
      const state = await answer.json();
      form.querySelector("button").setAttribute("aria-pressed", String(state.favourite));
      document.getElementById("favourites").hidden = !document.querySelector('.star[aria-pressed="true"]');
    });
  }
})();
