// Follows the packing of a copy; without script the page shows it when it is loaded again.
"use strict";
for (const bar of document.querySelectorAll("[data-copy]")) {
  const look = async () => {
    try {
      const answer = await fetch(bar.dataset.copy, { headers: { Accept: "application/json" } });
      const progress = await answer.json();
      bar.value = progress.percent;
      if (!progress.open) {
        location.reload();
        return;
      }
    } catch {
      // The line broke off; the next look tries again.
    }
    setTimeout(look, 1500);
  };
  setTimeout(look, 800);
}
