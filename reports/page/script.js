"use strict";
(() => {
  const search = document.getElementById("search");
  const found = document.getElementById("found");
  const filters = [...document.querySelectorAll("button.filter")];
  const scenarios = [...document.querySelectorAll("details.scenario")];
  const features = [...document.querySelectorAll("details.feature")];

  // A scenario is shown if its verdict is and each word of the search is in it.
  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = new Set(filters.filter((b) => b.ariaPressed === "true").map((b) => b.dataset.verdict));
    let count = 0;
    for (const s of scenarios) {
      const text = s.dataset.text.toLowerCase();
      s.hidden = !shown.has(s.dataset.verdict) || !words.every((w) => text.includes(w));
      count += s.hidden ? 0 : 1;
    }
    for (const f of features) {
      const any = f.querySelector("details.scenario:not([hidden])");
      f.hidden = !any;
      if (any && words.length > 0) f.open = true;
    }
    found.textContent = count + " of " + scenarios.length + " scenarios shown";
  };

  // A link to a scenario opens what it is in.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") { e.open = true; e.hidden = false; }
    if (target) target.scrollIntoView();
  };

  // Next or previous scenario that is shown.
  const move = (by) => {
    const heads = scenarios.filter((s) => !s.hidden).map((s) => s.querySelector("summary"));
    if (heads.length === 0) return;
    const at = heads.indexOf(document.activeElement);
    const next = heads[Math.min(Math.max(at + by, 0), heads.length - 1)];
    next.closest("details.feature").open = true;
    next.focus();
  };

  search.addEventListener("input", apply);
  for (const b of filters) b.addEventListener("click", () => { b.ariaPressed = String(b.ariaPressed !== "true"); apply(); });
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && document.activeElement === search) { search.value = ""; apply(); search.blur(); return; }
    if (e.target.matches("input") || e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === "/") { e.preventDefault(); search.focus(); }
    if (e.key === "j") move(1);
    if (e.key === "k") move(-1);
  });
  addEventListener("hashchange", reveal);
  apply();
  reveal();
})();
