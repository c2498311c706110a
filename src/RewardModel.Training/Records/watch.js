"use strict";
// Asks the server for newer states of the training, and shows them where the old one was.
(() => {
  const interval = 2000;
  let version = document.documentElement.dataset.version;

  async function look() {
    try {
      const newest = await (await fetch("version", { cache: "no-store" })).text();
      if (newest !== version) {
        replace(await (await fetch("./", { cache: "no-store" })).text());
        version = newest;
      }
    } catch {
      // The server is gone, or busy: it is asked again.
    }
    setTimeout(look, interval);
  }

  function replace(html) {
    const next = new DOMParser().parseFromString(html, "text/html");
    const opened = new Map([...document.querySelectorAll("details[id]")].map(details => [details.id, details.open]));
    const focused = document.activeElement?.closest("figure")?.dataset.curve;
    const [left, top] = [scrollX, scrollY];
    document.title = next.title;
    document.querySelector("main").replaceWith(document.adoptNode(next.querySelector("main")));
    for (const [id, open] of opened) {
      const details = document.getElementById(id);
      if (details)
        details.open = open;
    }
    document.dispatchEvent(new Event("report-replaced"));
    if (focused)
      document.querySelector(`figure[data-curve="${focused}"] .plot`)?.focus({ preventScroll: true });
    scrollTo(left, top);
  }

  setTimeout(look, interval);
})();
