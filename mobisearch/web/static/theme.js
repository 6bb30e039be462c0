"use strict";
// Runs before anything is drawn, so that the page never flashes in the other colours.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("mobisearch-theme");
  } catch {
    // a browser that keeps nothing: the system's colours
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
