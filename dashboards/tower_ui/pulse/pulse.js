// How old the data are, counted in the browser: when neither the tower nor these pages answer any more, the line still
// turns red. It also turns clicks on links of this app into a change of page without a reload, and prints the page where asked to.

const lines = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".pulse");
  let line = lines.get(root);
  if (!line) {
    line = { root, loadedAt: Date.now() };
    for (const name of ["dot", "word", "rest"]) {
      const node = document.createElement("span");
      node.className = name;
      root.append(node);
      line[name] = node;
    }
    root.setAttribute("role", "status");
    lines.set(root, line);
  }
  line.data = component.data;
  line.skewMs = component.data.now - Date.now();
  const go = (event) => {
    if (event.composedPath().some((n) => n instanceof HTMLElement && n.dataset.print)) { window.print(); return; }
    const link = event.composedPath().find((n) => n instanceof HTMLAnchorElement && n.dataset.go);
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    // As the browser's own way back does: the app asks for the page itself and ends the refreshes of this one first. A
    // change of page that the server decides on can be overtaken by a refresh of the page that was left, which empties it.
    history.pushState({}, "", link.href);
    dispatchEvent(new PopStateEvent("popstate"));
  };
  document.addEventListener("click", go);
  const timer = setInterval(() => tick(line), 1000);
  tick(line);
  return () => { clearInterval(timer); document.removeEventListener("click", go); };
}

function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return s + " s";
  if (s < 3600) return Math.floor(s / 60) + " min";
  return Math.floor(s / 3600) + " h " + Math.floor((s % 3600) / 60) + " min";
}

function tick(line) {
  const d = line.data, age = d.at === null ? Infinity : (Date.now() + line.skewMs - d.at) / 1000;
  const state = age > d.deadAfter ? "dead" : d.error ? "stale" : age > d.staleAfter ? "stale" : "live";
  line.root.className = "pulse " + state + (d.big ? " big" : "");
  line.dot.textContent = { live: "●", stale: "▲", dead: "✖" }[state];
  line.word.textContent = state === "live" ? (d.every ? "Live" : "Read") : state === "stale" ? "Waiting for data" : d.at === null ? "NO DATA YET" : "NO DATA SINCE " + d.time;
  line.rest.textContent = state === "live" ? (d.big ? d.time : "data as of " + d.time + " " + d.zone + (d.every ? " · every " + d.every + " s · " + d.took + " ms" : ""))
    : state === "stale" ? "last " + d.time + " " + d.zone + ", " + duration(age) + " ago"
    : d.at === null ? "" : d.zone + ", " + duration(age) + " ago";
  // A wall screen runs for months: a fresh page every six hours keeps it small.
  if (d.big && Date.now() - line.loadedAt > 6 * 3600 * 1000 && state === "live") location.reload();
}
