// The table of rows one can act on. It knows rows by id, never by position: what is selected, focused, sent or gone
// is an id. While someone points at the table, types in it or has rows selected, the order stays as it is: rows that
// left the list become tombstones, new ones are counted. Every text from outside goes through textContent.

const GAP = 12, ROW = 36, HEAD = 36, FOOT = 48, OVERSCAN = 8;
const POINTER_HOLD_MS = 30000, KEY_HOLD_MS = 8000, ACT_HOLD_MS = 20000, SETTLE_MS = 350, PENDING_MS = 30000, REPEAT_MS = 1500;
const tables = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".root");
  let table = tables.get(root);
  if (!table) {
    table = new Table(root);
    tables.set(root, table);
  }
  table.post = (gestures) => component.setTriggerValue("gestures", gestures);
  const turn = table.attach();
  table.update(component.data);
  return () => table.detach(turn);
}

function el(tag, className, parent, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  if (parent) parent.append(node);
  return node;
}

function duration(seconds) {
  const left = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  if (left < 60) return left + "s";
  if (left < 3600) return Math.floor(left / 60) + "m";
  if (left < 86400) return Math.floor(left / 3600) + "h " + two(Math.floor((left % 3600) / 60)) + "m";
  if (left < 864000) return Math.floor(left / 86400) + "d " + two(Math.floor((left % 86400) / 3600)) + "h";
  return Math.floor(left / 86400).toLocaleString("en") + "d";
}

// Hundredths as text -> full digits; BigInt, because sums of money must not be rounded.
function money(minor) {
  if (minor === "") return "–";
  const value = BigInt(minor), size = value < 0n ? -value : value;
  return (value < 0n ? "−" : "") + (size / 100n).toLocaleString("en") + "." + String(size % 100n).padStart(2, "0");
}

function newClick() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

function count(n, one, many) {
  return n.toLocaleString("en") + " " + (n === 1 ? one : many);
}

class Table {
  constructor(root) {
    this.root = root;
    this.rows = new Map(); // id -> row as last received; kept for tombstones
    this.shown = []; // ids in the order on screen
    this.incoming = []; // ids in the order of the newest data
    this.gone = new Set();
    this.selected = new Set();
    this.pending = new Map(); // id -> click, while its retry is on the way
    this.outbox = new Map(); // click -> gesture, until the server says that it was handled
    this.drawn = new Map(); // id -> element
    this.focus = null;
    this.anchor = null;
    this.pointerAt = -Infinity;
    this.keyAt = -Infinity;
    this.holdUntil = -Infinity;
    this.asked = null;
    this.adoptedAt = -Infinity;
    this.inside = false;
    this.build();
  }

  build() {
    const r = this.root;
    r.tabIndex = 0;
    r.setAttribute("role", "grid");
    this.head = el("div", "head", r);
    this.head.setAttribute("role", "row");
    this.body = el("div", "body", r);
    this.body.setAttribute("role", "rowgroup");
    this.canvas = el("div", "canvas", this.body);
    this.canvas.setAttribute("role", "presentation");
    this.empty = el("div", "empty", this.body);
    this.foot = el("div", "foot", r);
    this.fresh = el("button", "quiet", this.foot);
    this.fresh.title = "Show the list as it is now (n)";
    this.sum = el("span", "sum", this.foot);
    this.say = el("span", "say", this.foot);
    this.say.setAttribute("role", "status");
    this.say.setAttribute("aria-live", "polite");
    this.keys = el("span", "keys", this.foot, "j k move · x select · r retry · Enter open · Esc clear · n show new");
    this.copy = el("button", "quiet", this.foot, "Copy ids");
    this.clear = el("button", "quiet", this.foot, "Clear");
    this.hand = el("button", "quiet", this.foot, "By hand…");
    this.bulk = el("button", "primary", this.foot);

    this.fresh.addEventListener("click", () => this.adopt());
    this.clear.addEventListener("click", () => this.clearSelection());
    this.copy.addEventListener("click", () => this.copyIds());
    this.hand.addEventListener("click", () => this.askSelected("say"));
    this.bulk.addEventListener("click", () => this.askSelected("ask"));
    this.body.addEventListener("scroll", () => this.draw(), { passive: true });
    this.body.addEventListener("mousedown", (e) => e.shiftKey && e.preventDefault()); // no text selection on ranges
    this.canvas.addEventListener("click", (e) => this.clicked(e));
    r.addEventListener("pointerenter", () => this.pointed(true));
    r.addEventListener("pointermove", () => this.pointed(true), { passive: true });
    r.addEventListener("pointerleave", () => this.pointed(false));
    r.addEventListener("keydown", (e) => this.key(e));
  }

  // A component is set up again with each new data, and the clean-up of the turn before may come after; the table
  // itself stays.
  attach() {
    this.turn = (this.turn || 0) + 1;
    if (this.observer) return this.turn;
    this.observer = new ResizeObserver(() => { this.layout(); this.draw(); });
    this.observer.observe(this.root);
    this.resized = () => { this.layout(); this.draw(); };
    window.addEventListener("resize", this.resized);
    // Keys also work while nothing narrower than a part of the page around the table has the focus, as after a click
    // between things; captured, because the app has hotkeys of its own on r and c.
    const host = this.root.getRootNode().host || this.root;
    this.pageKeys = (e) => { if (e.target !== host && e.target.contains(host)) this.key(e); };
    document.addEventListener("keydown", this.pageKeys, true);
    return this.turn;
  }

  detach(turn) {
    if (!this.observer || turn !== this.turn) return;
    this.observer.disconnect();
    this.observer = null;
    window.removeEventListener("resize", this.resized);
    document.removeEventListener("keydown", this.pageKeys, true);
  }

  // After an act the rows stay for a while, so that it can be seen what became of them.
  stay() { this.holdUntil = performance.now() + ACT_HOLD_MS; }

  held() {
    const now = performance.now();
    return this.selected.size > 0 || now < this.holdUntil || (this.inside && now - this.pointerAt < POINTER_HOLD_MS) || now - this.keyAt < KEY_HOLD_MS;
  }

  update(data) {
    const first = !this.data, other = first || this.data.filters !== data.filters;
    const same = !first && this.data.revision === data.revision && !other;
    this.data = data;
    this.skewMs = data.now - Date.now();
    this.root.setAttribute("aria-label", data.label);
    if (data.selectable) this.root.setAttribute("aria-multiselectable", "true");
    this.settle(new Set(data.handled || []));
    if (this.asked && (data.handled || []).includes("yes-" + this.asked)) { this.selected.clear(); this.anchor = null; this.asked = null; this.stay(); }
    if (!same) this.take(data, other);
    else if (this.gone.size && !this.held()) this.adopt(true); // nothing new, but nobody needs the old order any more
    else this.refresh();
    if (data.say && data.say !== this.said) { this.said = data.say; this.say.textContent = data.say; }
  }

  take(data, other) {
    const fresh = this.unpack(data);
    this.incoming = data.ids;
    if (other) { this.selected.clear(); this.anchor = null; this.rows = fresh; this.adopt(true); this.body.scrollTop = 0; return; }
    const here = new Set(data.ids);
    let lost = 0;
    for (const id of this.shown) {
      if (here.has(id)) this.gone.delete(id);
      else { this.gone.add(id); if (this.selected.delete(id)) lost += 1; }
    }
    for (const [id, row] of fresh) this.rows.set(id, row);
    for (const id of this.gone) {
      const fate = (data.fates || {})[id], row = this.rows.get(id);
      if (fate && row) [row.outcome, row.tone] = fate;
    }
    if (lost) this.tell(count(lost, "selected row has", "selected rows have") + " cleared and cannot be retried any more");
    if (this.held() || lost) this.refresh(); else this.adopt(true);
  }

  unpack(data) {
    const names = Object.keys(data.cells), out = new Map();
    const read = names.map((n) => {
      const c = data.cells[n];
      return Array.isArray(c) ? (i) => c[i] : (i) => c.d[c.i.length ? c.i[i] : 0];
    });
    data.ids.forEach((id, i) => {
      const row = { id, version: data.versions[i] };
      names.forEach((n, j) => { row[n] = read[j](i); });
      out.set(id, row);
    });
    return out;
  }

  adopt(quiet) {
    const moved = this.shown.length > 0 && this.inside && this.incoming.join() !== this.shown.join();
    this.shown = this.incoming.slice();
    this.gone.clear();
    const here = new Set(this.shown);
    for (const id of [...this.rows.keys()]) if (!here.has(id)) this.rows.delete(id);
    for (const id of [...this.selected]) if (!here.has(id)) this.selected.delete(id);
    if (this.focus !== null && !here.has(this.focus)) this.focus = null;
    if (quiet && moved) this.adoptedAt = performance.now();
    this.refresh();
  }

  refresh() {
    this.layout();
    this.draw(true);
    this.footer();
  }

  // -- drawing --------------------------------------------------------------------------------------------------

  // As tall as the window leaves room for, no taller than the rows need. Set here, because on the first call the
  // component may still have no height and a virtual list would then draw nothing.
  fit() {
    const top = this.root.getBoundingClientRect().top + (this.scroller()?.scrollTop || 0);
    const room = Math.max(360, window.innerHeight - top - 22);
    const need = HEAD + FOOT + 2 + Math.max(4, this.shown.length) * ROW;
    const height = Math.min(room, need) + "px";
    if (this.root.style.height !== height) this.root.style.height = height;
  }

  scroller() {
    return document.querySelector("[data-testid=stMain]");
  }

  layout() {
    if (!this.data) return;
    this.fit();
    const width = this.root.clientWidth;
    const columns = this.data.columns.filter((c) => !c.hide || width >= c.hide);
    const lead = this.data.selectable ? 44 : 16;
    const gaps = GAP * columns.length;
    const spare = Math.max(0, width - 14 - lead - gaps - columns.reduce((s, c) => s + c.w, 0));
    const shares = columns.reduce((s, c) => s + c.grow, 0) || 1;
    const tracks = lead + "px " + columns.map((c) => Math.floor(c.w + (spare * c.grow) / shares) + "px").join(" ");
    const shape = tracks + columns.map((c) => c.label).join();
    if (shape === this.shape) return;
    this.shape = shape;
    this.columns = columns;
    this.root.style.setProperty("--tracks", tracks);
    this.head.textContent = "";
    const corner = el("div", "cell", this.head);
    corner.setAttribute("role", "columnheader");
    if (this.data.selectable) {
      this.all = el("input", "tick", corner);
      this.all.type = "checkbox";
      this.all.tabIndex = -1;
      this.all.setAttribute("aria-label", "Select all rows shown");
      this.all.addEventListener("change", () => this.selectAll(this.all.checked));
    }
    for (const c of columns) {
      const cell = el("div", "cell " + c.align, this.head, c.label);
      cell.setAttribute("role", "columnheader");
      if (c.title) cell.title = c.title;
    }
    for (const node of this.drawn.values()) node.remove();
    this.drawn.clear();
  }

  draw(all) {
    if (!this.columns) return;
    this.canvas.style.height = this.shown.length * ROW + "px";
    this.empty.textContent = this.shown.length ? "" : this.data.empty || "";
    const tall = Math.max(this.body.clientHeight, 400);
    const from = Math.max(0, Math.floor(this.body.scrollTop / ROW) - OVERSCAN);
    const to = Math.min(this.shown.length, Math.ceil((this.body.scrollTop + tall) / ROW) + OVERSCAN);
    const wanted = new Set(this.shown.slice(from, to));
    for (const [id, node] of this.drawn) if (!wanted.has(id)) { node.remove(); this.drawn.delete(id); }
    for (let i = from; i < to; i++) {
      const id = this.shown[i];
      let node = this.drawn.get(id);
      if (!node) {
        node = el("div", "row", this.canvas);
        node.dataset.id = id;
        node.id = "row-" + i + "-" + newClick().slice(0, 6);
        node.setAttribute("role", "row");
        this.drawn.set(id, node);
        this.paint(node, this.rows.get(id));
      } else if (all) this.paint(node, this.rows.get(id));
      node.style.transform = "translateY(" + i * ROW + "px)";
      node.setAttribute("aria-rowindex", String(i + 2));
    }
    this.root.setAttribute("aria-rowcount", String(this.shown.length + 1));
    const at = this.focus !== null && this.drawn.get(this.focus);
    if (at) this.root.setAttribute("aria-activedescendant", at.id); else this.root.removeAttribute("aria-activedescendant");
  }

  paint(node, row) {
    const gone = this.gone.has(row.id), on = this.selected.has(row.id);
    const pending = this.pending.has(row.id);
    const sign = JSON.stringify([row, gone, on, pending, this.focus === row.id, this.data.mayAct, this.data.live, this.data.past, this.ages(row)]);
    if (node.sign === sign) return;
    node.sign = sign;
    node.className = "row" + (gone ? " gone" : "") + (on ? " on" : "") + (this.focus === row.id ? " focus" : "") + " s-" + (row.state || "none");
    if (this.data.selectable) node.setAttribute("aria-selected", String(on));
    node.textContent = "";
    const first = el("div", "cell", node);
    first.setAttribute("role", "gridcell");
    if (this.data.selectable) {
      const tick = el("input", "tick", first);
      tick.type = "checkbox";
      tick.checked = on;
      tick.disabled = gone;
      tick.tabIndex = -1;
      tick.setAttribute("aria-label", "Select " + row.id);
    }
    for (const c of this.columns) {
      const cell = el("div", "cell " + c.align + " k-" + c.kind, node);
      cell.setAttribute("role", "gridcell");
      this.fill(cell, c, row, gone, pending);
    }
  }

  ages(row) {
    const now = Date.now() + this.skewMs;
    return this.columns.filter((c) => c.kind === "age" || c.kind === "ago").map((c) => (row[c.key] ? duration((now - row[c.key]) / 1000) : "–"));
  }

  fill(cell, c, row, gone, pending) {
    const value = row[c.key], now = Date.now() + this.skewMs;
    if (c.kind === "state") {
      const [mark, word] = gone ? ["✓", row.tone === "good" ? "Verified" : "Cleared"] : this.data.states[value] || ["·", value];
      el("span", "mark", cell, mark);
      el("span", "word", cell, word);
    } else if (c.kind === "order") {
      const link = el("a", "", cell, row.id);
      link.href = this.data.href + encodeURIComponent(row.id);
      link.tabIndex = -1;
    } else if (c.kind === "link") {
      el("a", "", cell, value).href = "#";
      cell.title = value;
    } else if (c.kind === "money") cell.textContent = money(value);
    else if (c.kind === "count") cell.textContent = value.toLocaleString("en");
    else if (c.kind === "age" || c.kind === "ago") {
      cell.textContent = value ? duration((now - value) / 1000) + (c.kind === "ago" ? " ago" : "") : "–";
      if (value) cell.title = "since " + new Date(value).toLocaleString();
    } else if (c.kind === "bar") this.bar(cell, value, row, now);
    else if (c.kind === "odds") {
      cell.textContent = value === null || value === undefined ? "–" : value + "%";
      const by = new Date(this.data.now + row.predicted * 60000).toLocaleString();
      const told = row.predicted === null || row.predicted === undefined ? [] : ["half of its like are through by " + by];
      if (row.heal !== null && row.heal !== undefined) told.push(row.heal + "% move by themselves in the time a retry gets");
      cell.title = told.join("; ") || "too few cases to say more";
    } else if (c.kind === "tries") {
      el("span", "n", cell, String(value));
      if (row.outcome) el("span", "tone-" + row.tone, cell, row.outcome);
      cell.title = row.story || "no retry yet";
    } else if (c.kind === "outcome") {
      if (value) el("span", "tone-" + row.tone, cell, value); else cell.textContent = "–";
      cell.title = row.story || "no retry yet";
    } else if (c.kind === "act") this.button(cell, row, gone, pending);
    else { cell.textContent = value || "–"; cell.title = value || ""; }
  }

  // The scale ends at twice the time allowed; the notch in the middle is the limit.
  bar(cell, percent, row, now) {
    if (percent === null || percent === undefined) { cell.textContent = "–"; return; }
    const track = el("span", "track", cell);
    el("span", "used", track).style.width = Math.min(100, percent / 2) + "%";
    el("span", "pct", cell, percent > 999 ? ">999%" : percent + "%");
    if (row.due) {
      const left = (row.due - now) / 1000;
      cell.title = "due " + new Date(row.due).toLocaleString() + (left < 0 ? ", " + duration(-left) + " ago" : ", in " + duration(left));
    }
  }

  button(cell, row, gone, pending) {
    const act = gone ? "done" : pending ? "sending" : row.act;
    if (act === "none") return;
    const words = { retry: "Retry", running: "Running…", fix: "Fix data", held: "Held", done: "Gone", sending: "Sending…" };
    const group = this.data.kind === "groups" && act === "retry";
    const button = el("button", "act " + act, cell, group ? "Retry group" : words[act] || act);
    button.tabIndex = -1;
    button.disabled = act !== "retry" || !this.data.mayAct || !this.data.live || this.data.past;
    button.setAttribute("aria-label", button.textContent + " " + (group ? row.error : row.id));
    button.title = act === "fix" ? "This step must not be repeated; correct the data in the source system"
      : act === "held" ? row.holder + " holds it; release it first"
      : act === "running" ? row.story || "A retry is on its way"
      : act === "done" ? "Not on this list any more"
      : !this.data.mayAct ? "Your key may look, not act"
      : this.data.past ? "This is the past; go back to now to retry"
      : !this.data.live ? "No data from the tower for 30 s; retries wait until it answers" : "";
  }

  footer() {
    const here = new Set(this.shown);
    const added = this.incoming.filter((id) => !here.has(id)).length;
    this.fresh.hidden = !added && !this.gone.size;
    this.fresh.textContent = added + " new, " + this.gone.size + " cleared – show";
    const n = this.selected.size;
    let total = 0n;
    for (const id of this.selected) if (this.rows.get(id)?.value) total += BigInt(this.rows.get(id).value);
    this.sum.textContent = n ? count(n, "selected", "selected") + " · " + this.data.symbol + money(String(total)) + " at risk" : this.data.note || "";
    this.foot.classList.toggle("on", n > 0);
    this.bulk.hidden = this.hand.hidden = this.clear.hidden = this.copy.hidden = !n;
    this.keys.hidden = n > 0 || !this.data.selectable;
    this.bulk.textContent = "Retry " + n;
    this.bulk.disabled = this.hand.disabled = !this.data.mayAct || !this.data.live || this.data.past;
    if (this.all) {
      const can = this.shown.length - this.gone.size;
      this.all.checked = n > 0 && n >= can;
      this.all.indeterminate = n > 0 && n < can;
    }
  }

  tell(text) { this.say.textContent = text; }

  // -- gestures -------------------------------------------------------------------------------------------------

  pointed(inside) {
    this.inside = inside;
    this.pointerAt = performance.now();
    if (!inside && !this.held()) this.adopt(true);
  }

  clicked(event) {
    const node = event.target.closest(".row");
    if (!node) return;
    if (event.target.closest("a") && (event.ctrlKey || event.metaKey)) return; // a new tab, by the browser
    event.preventDefault();
    const id = node.dataset.id;
    if (performance.now() - this.adoptedAt < SETTLE_MS) return; // the rows moved under the pointer just now
    this.focus = id;
    if (event.target.closest("button")) this.retry(id);
    else if (event.target.closest("a")) this.open(id);
    else if (this.data.selectable) this.toggle(id, event.shiftKey);
    else this.open(id);
    this.refresh();
  }

  toggle(id, range) {
    if (this.gone.has(id)) return;
    const from = range && this.anchor !== null ? this.shown.indexOf(this.anchor) : -1;
    if (from >= 0) {
      const to = this.shown.indexOf(id);
      for (const each of this.shown.slice(Math.min(from, to), Math.max(from, to) + 1)) if (!this.gone.has(each)) this.selected.add(each);
    } else if (this.selected.has(id)) this.selected.delete(id);
    else this.selected.add(id);
    this.anchor = id;
  }

  selectAll(on) {
    this.selected.clear();
    if (on) for (const id of this.shown) if (!this.gone.has(id)) this.selected.add(id);
    this.refresh();
  }

  clearSelection() {
    this.selected.clear();
    this.anchor = null;
    if (this.held()) this.refresh(); else this.adopt(true);
  }

  async copyIds() {
    const ids = this.shown.filter((id) => this.selected.has(id)).join("\n");
    try { await navigator.clipboard.writeText(ids); this.tell("Copied " + count(this.selected.size, "id", "ids")); }
    catch { this.tell("The browser does not allow copying here"); }
  }

  // Gestures made while the server is busy replace each other on the way, so each message carries all that are still
  // open, and is repeated until they are handled. Each has its own id: whatever arrives twice acts once.
  send(gesture) {
    this.outbox.set(gesture.click, { gesture, at: performance.now() });
    this.flush();
  }

  flush() {
    this.flushedAt = performance.now();
    this.post([...this.outbox.values()].map((o) => o.gesture));
  }

  settle(handled) {
    const now = performance.now();
    let lost = 0;
    for (const [click, o] of this.outbox) {
      if (handled.has(click)) this.outbox.delete(click);
      else if (now - o.at > PENDING_MS) { this.outbox.delete(click); lost += 1; }
    }
    for (const [id, click] of this.pending) if (!this.outbox.has(click)) this.pending.delete(id);
    if (lost) this.tell("No answer to " + count(lost, "click", "clicks") + "; look at the orders before you try again");
    else if (this.outbox.size && now - this.flushedAt > REPEAT_MS) this.flush();
  }

  seen(id) { return { id, version: this.rows.get(id).version }; }

  // An order is another page, to be turned to as links of the app are (pulse.js); a group is this page with other filters.
  open(id) {
    if (this.data.kind === "groups") { this.send({ kind: "open", click: newClick(), rows: [this.seen(id)] }); return; }
    history.pushState({}, "", this.data.href + encodeURIComponent(id));
    dispatchEvent(new PopStateEvent("popstate"));
  }

  // One gesture, one key: the row is closed for clicks before anything is sent.
  retry(id) {
    const row = this.rows.get(id);
    if (!row || this.gone.has(id) || this.pending.has(id) || row.act !== "retry" || !this.data.mayAct || !this.data.live || this.data.past) return;
    const click = newClick();
    this.pending.set(id, click);
    this.stay();
    this.send({ kind: this.data.kind === "groups" ? "ask" : "retry", click, rows: [this.seen(id)] });
    this.tell(this.data.kind === "groups" ? "" : "Sending the retry of " + id);
  }

  askSelected(kind) {
    const ids = this.shown.filter((id) => this.selected.has(id) && !this.gone.has(id));
    if (!ids.length || !this.data.mayAct || !this.data.live || this.data.past) return;
    const click = newClick();
    if (kind === "ask") this.asked = click;
    this.send({ kind, click, rows: ids.map((id) => this.seen(id)) });
  }

  move(step) {
    const at = this.focus === null ? -1 : this.shown.indexOf(this.focus);
    const to = Math.min(this.shown.length - 1, Math.max(0, at < 0 ? 0 : at + step));
    this.focus = this.shown[to] ?? null;
    const top = to * ROW;
    if (top < this.body.scrollTop) this.body.scrollTop = top;
    else if (top + ROW > this.body.scrollTop + this.body.clientHeight) this.body.scrollTop = top + ROW - this.body.clientHeight;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.data) return;
    const target = event.composedPath()[0];
    if (target instanceof HTMLButtonElement && (event.key === "Enter" || event.key === " ")) return;
    const page = Math.max(1, Math.floor(this.body.clientHeight / ROW) - 1);
    const act = {
      j: () => this.move(1), ArrowDown: () => this.move(1), k: () => this.move(-1), ArrowUp: () => this.move(-1),
      PageDown: () => this.move(page), PageUp: () => this.move(-page),
      Home: () => this.move(-this.shown.length), End: () => this.move(this.shown.length),
      x: () => this.keyToggle(event), X: () => this.keyToggle(event), " ": () => this.keyToggle(event),
      r: () => (this.selected.size ? this.askSelected("ask") : this.focus !== null && this.retry(this.focus)),
      Enter: () => this.focus !== null && this.open(this.focus),
      Escape: () => { this.selected.clear(); this.anchor = null; },
      n: () => this.adopt(), c: () => {},
    }[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    this.keyAt = performance.now();
    act();
    this.refresh();
  }

  keyToggle(event) {
    if (this.data.selectable && this.focus !== null) this.toggle(this.focus, event.shiftKey);
  }
}
