// The page: keeps what the stream reports, and draws what has changed.

const SECONDS = 120; // of a sparkline
const SILENCE = 5; // seconds until the page is stale
const SILENT_FOR_GOOD = 10; // seconds until the stream is requested again
const RESORT = 5; // seconds between two orders by traffic
const MOST_CARDS = 500;
const MOST_CHANGES = 50; // of a breaker
const BUDGET = 10; // milliseconds of drawing in a frame

const $ = (id) => document.getElementById(id);
const api = `${location.pathname.replace(/\/?$/, "/")}api/`;
const items = new Map(); // by name
const view = { state: "all", text: "", order: "worst", paused: null };
const page = { controls: false, discovery: true, now: 0, uptime: 0, counts: {}, total: 0 };
const link = { heard: null, stale: false, problem: "", wait: 1 };
let token = null;

// --- Words

const STATES = { open: "Open", "half-open": "Half-open", held: "Held", closed: "Closed", idle: "Idle" };
const number = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const today = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const earlier = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

const count = (n) => (n < 100_000 ? number : short).format(n);
const plural = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
const percent = (share) => `${Math.round(share * 1000) / 10} %`;
const rate = (n) => `${n === 0 || n >= 9.95 ? count(Math.round(n)) : n.toFixed(1)}/s`;
const times = (n) => (n === 1 ? "once" : `${count(n)} times`);

function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  const [min, h] = [Math.floor(s / 60), Math.floor(s / 3600)];
  if (min < 1) return `${s} s`;
  if (min < 60) return `${min} min ${String(s % 60).padStart(2, "0")} s`;
  return h < 48 ? `${h} h ${min % 60} min` : `${Math.floor(h / 24)} d ${h % 24} h`;
}

function moment(seconds) {
  const date = new Date(seconds * 1000);
  return (date.toDateString() === new Date().toDateString() ? today : earlier).format(date);
}

function within({ window } = {}) {
  if (typeof window === "number") return `in the last ${plural(window, "call")}`;
  return window ? `in ${window}` : "in a row";
}

const CAUSES = {
  wait_over: "the wait was over, and a probe was admitted",
  probes_succeeded: "all probes succeeded",
  probe_failed: "a probe failed",
  unavailable: "the service asked to be left alone",
  tripped: "tripped by hand",
  forced_open: "an order holds it open",
  forced_closed: "an order holds it closed",
  reset: "reset, or the end of an order",
  withheld: "would have opened, but is held closed",
  ramp_over: "all calls are admitted again",
};

// The cause of a change, with the evidence that led to it.
function cause({ cause, window: w }, config) {
  const share = (n, what) => (w?.calls ? `${percent(n / w.calls)} of ${plural(w.calls, "call")} ${what}` : `too many calls ${what}`);
  if (cause === "max_failures") return w ? `${plural(w.failed, "failure")} ${within(config)}` : "too many failures";
  if (cause === "failure_rate") return share(w?.failed, "failed");
  if (cause === "slow_rate") return share(w?.slow, "were slow");
  return CAUSES[cause] ?? cause;
}

function stateWords(d) {
  if (d.hold) return d.hold.to === "open" ? "Held open" : "Held closed";
  return STATES[d.state] ?? d.state;
}

function timeLeft(d, passed) {
  if (d.hold) return d.hold.ends_in === null ? "without an end" : `${span(Math.ceil(d.hold.ends_in - passed))} left`;
  if (d.state === "half-open") return d.ramp ? `${percent(d.ramp)} of calls admitted` : "probing";
  if (d.state !== "open" || d.retry_after === null) return "";
  const left = Math.ceil(d.retry_after - passed);
  return left > 0 ? `probe in ${span(left)}` : "probe with the next call";
}

// --- Breakers

const lookOf = (d) => (d.hold && !d.members ? "held" : d.state);

class Item {
  constructor(name) {
    this.name = name;
    this.past = []; // changes, latest first
    this.ring = new Float32Array(SECONDS * 3); // succeeded, failed, rejected of each second
    this.until = this.from = Math.floor(page.now);
    this.seen = {}; // what is drawn
  }

  get group() {
    return this.data.kind === "keyed" || this.data.kind === "several";
  }

  // Takes a new state, and spreads the calls since the one before over the seconds between.
  take(data, before = page.now) {
    const old = this.data;
    Object.assign(this, { data, heard: performance.now(), told: page.now });
    if (data.kind === "idle") return;
    if (data.last_change) this.learn(data.last_change);
    this.advance();
    if (!old || old.kind === "idle") return;
    const grown = ["succeeded", "failed", "rejected"].map((sum) => Math.max(0, data[sum] - old[sum]));
    if (!grown.some(Boolean)) return;
    const start = Math.max(before, page.now - SECONDS + 1);
    const length = page.now - start;
    for (let s = Math.floor(start); s <= page.now; s++) {
      const share = length > 0 ? Math.max(0, Math.min(s + 1, page.now) - Math.max(s, start)) / length : 1;
      grown.forEach((n, i) => (this.ring[(s % SECONDS) * 3 + i] += n * share));
    }
    this.last = page.now;
  }

  // Empties the seconds that have begun since.
  advance() {
    const now = Math.floor(page.now);
    for (let s = Math.max(this.until + 1, now - SECONDS + 1); s <= now; s++) this.ring.fill(0, (s % SECONDS) * 3, (s % SECONDS) * 3 + 3);
    this.until = now;
  }

  // Calls a second, of the last ten that are over.
  get rate() {
    this.advance();
    const seconds = Math.min(10, this.until - this.from - 1);
    let sum = 0;
    for (let s = this.until - seconds; s < this.until; s++) for (let i = 0; i < 3; i++) sum += this.ring[(s % SECONDS) * 3 + i];
    return seconds > 0 ? sum / seconds : null;
  }

  learn(change) {
    if (this.past.some((c) => c.at === change.at && c.breaker === change.breaker && c.cause === change.cause)) return false;
    this.past.push(change);
    this.past.sort((a, b) => b.at - a.at).splice(MOST_CHANGES);
    return true;
  }

  matches(state) {
    const { data: d } = this;
    return state === "all" || d.state === state || (state === "held" && !!(d.hold || d.members_counts?.held));
  }

  // The rules with a limit: how much of it is used, and where both are on a bar.
  get limits() {
    const { config: c, window: w, consecutive_failures: run } = this.data;
    if (this.group || !c) return [];
    const limits = [];
    const failed = w?.failed ?? run ?? 0;
    if (c.max_failures) {
      const used = failed / c.max_failures;
      limits.push({ what: `Failures ${within(c)}`, value: `${count(failed)}, limit ${count(c.max_failures)}`, fill: used * 0.8, mark: 0.8, used });
    }
    const share = (what, n, limit) => {
      const [calls, least] = [w?.calls ?? 0, c.min_calls ?? 1];
      const fill = calls ? n / calls : 0;
      const value = calls < least ? `${count(calls)} of ${plural(least, "call")} needed` : `${percent(fill)}, limit ${percent(limit)}`;
      limits.push({ what, value, fill, mark: limit, used: calls < least ? 0 : fill / limit });
    };
    if (c.failure_rate) share(`Failed ${within(c)}`, failed, c.failure_rate);
    if (c.slow_rate) share(`Slower than ${c.slow_call}`, w?.slow ?? 0, c.slow_rate);
    return limits;
  }

  // Worst first. One that is half-way to a limit stays among those until it is well below.
  get rank() {
    const { data: d } = this;
    const rank = { open: 0, "half-open": 2, closed: 6, idle: 7 }[d.state];
    if (rank === 0 && d.hold) return 1;
    if (rank !== 6) return rank;
    const used = Math.max(0, ...this.limits.map((l) => l.used));
    this.near = used >= (this.near ? 0.3 : 0.5);
    return d.hold ? 3 : this.near ? 4 : 6;
  }

  // Seconds since the state was told, which stand still once the page is stale.
  get passed() {
    return Math.max(0, (link.stale ? link.heard.time : performance.now()) - this.heard) / 1000;
  }

  get why() {
    const { data: d, past } = this;
    if (d.kind === "idle") return "Never called";
    const lasting = span(d.since + this.passed);
    if (this.group) {
      const { open, held } = d.members_counts;
      return `${count(open)} of ${plural(d.members_total, d.kind === "keyed" ? "key" : "breaker")} open${held ? `, ${count(held)} held` : ""}`;
    }
    if (d.state === "closed") return d.withheld && d.hold ? `Would have opened ${times(d.withheld)}` : `Closed for ${lasting}`;
    // The first opening says more than the probe that failed since.
    const opening = past.find((c) => c.to === "open" && c.from === "closed") ?? past.find((c) => c.to === "open");
    const again = d.reopenings ? `. Reopened ${d.reopenings === 1 ? "once" : `${times(d.reopenings)} in a row`}` : "";
    return `${opening ? `${moment(opening.at)}: ${cause(opening, d.config)}` : `${STATES[d.state]} for ${lasting}`}${again}`;
  }

  get heldBy() {
    const { hold, order } = this.data;
    if (!hold || this.group) return "";
    const by = hold.source === "file" ? "the file of rules" : order ? order.actor : "the program";
    return `Held by ${by}${hold.ends_in === null ? "" : ` until ${moment(Math.round(this.told + hold.ends_in))}`}${order ? `: ${order.reason}` : ""}`;
  }
}

// --- The stream

const ask = (path, { headers, ...options } = {}) =>
  fetch(api + path, { ...options, headers: { ...(token && { Authorization: `Bearer ${token}` }), ...headers }, credentials: "omit" });

async function problemOf(response) {
  const { error = `The server answered ${response.status}` } = await response.json().catch(() => ({}));
  return error;
}

async function follow() {
  for (;;) {
    link.stop = new AbortController();
    link.problem = await read().catch((error) => (link.stop.signal.aborted ? "The stream was silent." : error.message));
    link.since = null;
    await new Promise((done) => setTimeout(done, link.wait * 1000));
    link.wait = Math.min(link.wait * 2, 8);
  }
}

// Resolves to the reason once the stream has ended.
async function read() {
  const headers = { Accept: "text/event-stream", ...(link.id && { "Last-Event-ID": link.id }) };
  const response = await ask("stream", { headers, signal: link.stop.signal });
  if (response.status === 401) {
    await askToken();
    link.wait = 0.1;
    return "";
  }
  if (!response.ok) return problemOf(response);
  Object.assign(link, { since: performance.now(), wait: 1 });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { done, value } = await reader.read();
    if (done) return "The stream has ended.";
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    blocks.forEach(receive);
  }
}

function receive(block) {
  const fields = {};
  for (const line of block.split("\n")) {
    const [, field, value] = /^([^:]*):? ?(.*)/.exec(line);
    fields[field] = value;
  }
  if (fields.id) link.id = fields.id;
  if (!fields.data) return;
  link.heard = { time: performance.now(), date: Date.now() };
  events[fields.event]?.(JSON.parse(fields.data));
  if (link.stale) drawLive();
}

// Both clocks, as one may stand still while the machine sleeps, and the other may be set.
const silence = () => Math.max(performance.now() - link.heard.time, Date.now() - link.heard.date) / 1000;

const events = {
  snapshot(list) {
    if (list.uptime < page.uptime) [...items.values()].forEach(forget); // another run
    const { service, controls, discovery } = list;
    Object.assign(page, { service, controls, discovery });
    const names = new Set(list.breakers.map((b) => b.name));
    events.update({ ...list, removed: [...items.keys()].filter((name) => !names.has(name)) });
    ask("changes").then(async (response) => response.ok && learn((await response.json()).changes), () => {});
  },
  update({ now, uptime, counts, total, breakers, removed }) {
    const before = page.now || now;
    Object.assign(page, { now, uptime, counts, total });
    removed.forEach((name) => items.has(name) && forget(items.get(name)));
    for (const data of breakers) {
      if (!items.has(data.name)) items.set(data.name, new Item(data.name));
      const item = items.get(data.name);
      item.take(data, before);
      touch(item);
      if (item.sortedBy !== (item.sortedBy = item.rank)) rows.late = true;
    }
    document.title = `${counts.open ? `${counts.open} open · ` : ""}${page.service}`;
    plan();
  },
  change(change) {
    learn([change]);
    if (change.from !== change.to || change.cause === "withheld") unsaid.push({ to: change.to, text: `${change.breaker} is ${change.to}: ${cause(change, itemOf(change.breaker)?.data.config)}.` });
  },
};

// The card of a name: that of its function for `shop::page[a.example]`.
const itemOf = (name) => items.get(name) ?? [...name.matchAll(/\[/g)].map(({ index }) => items.get(name.slice(0, index))).find(Boolean);

function learn(changes) {
  for (const change of changes) {
    const item = itemOf(change.breaker);
    if (item?.learn(change)) touch(item);
  }
  plan();
}

function forget(item) {
  items.delete(item.name);
  inView.delete(item);
  if (item.card?.contains(document.activeElement)) $("cards").focus({ preventScroll: true });
  item.card?.remove();
  rows.late = true;
}

// --- Announcements of changes, in sum if there are many

const unsaid = [];

function say() {
  if (!unsaid.length || view.paused) return;
  const said = unsaid.splice(0);
  const sum = Object.keys(STATES).map((to) => [said.filter((s) => s.to === to).length, to]).filter(([n]) => n);
  $("said").textContent = said.length > 4 ? `${said.length} changes: ${sum.map(([n, to]) => `${n} to ${to}`).join(", ")}.` : said.map((s) => s.text).join(" ");
}

// --- Drawing: in each frame the cards in view first, then as many others as there is time for

const rows = { list: [], at: 0, late: true, next: 0 };
const dirty = new Set();
const inView = new Set();
const eyes = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    inView[isIntersecting ? "add" : "delete"](target.item);
    if (isIntersecting) touch(target.item);
  }
  plan();
}, { rootMargin: "300px" });
let planned = 0;
let quietAt = 0; // nothing moves under a finger before

const touch = (item) => dirty.add(item);
const plan = () => view.paused || (planned ||= requestAnimationFrame(draw));

function draw() {
  planned = 0;
  const start = performance.now();
  const late = () => performance.now() - start > BUDGET;
  if (rows.late && start >= quietAt) sort();
  drawHead();
  for (const item of [...inView].filter((item) => dirty.has(item))) drawCard(item);
  while (rows.next < rows.list.length) {
    if (late()) return plan();
    arrange(rows.list[rows.next], rows.next++);
  }
  for (let extra; (extra = $("cards").children[rows.list.length]); ) drop(extra);
  for (const item of dirty) {
    if (late()) return plan();
    if (item.card?.isConnected) drawCard(item);
    dirty.delete(item);
  }
}

function sort() {
  const by = { worst: (a, b) => a.sortedBy - b.sortedBy, traffic: (a, b) => b.traffic - a.traffic, name: () => 0 }[view.order];
  const text = view.text.toLowerCase();
  const all = [...items.values()].filter((item) => item.open || (item.matches(view.state) && item.name.toLowerCase().includes(text)));
  all.forEach((item) => (item.traffic = item.data.kind === "idle" ? -1 : item.rate ?? 0));
  all.sort((a, b) => by(a, b) || (a.name < b.name ? -1 : 1));
  Object.assign(rows, { late: false, next: 0, at: performance.now(), matching: all.length, list: all.slice(0, MOST_CARDS) });
  $("empty").hidden = all.length > 0;
  $("empty").textContent = items.size ? "No circuit matches." : "No circuit yet.";
}

// Puts a card where it belongs, so that it keeps the focus.
function arrange(item, index) {
  const cards = $("cards");
  if (!item.card) drawCard(item);
  const here = cards.children[index];
  if (here === item.card) return;
  if (item.card.isConnected && here.nextElementSibling === item.card && !here.contains(document.activeElement)) return move(here, null);
  move(item.card, here ?? null);
}

function move(card, before) {
  const focus = card.contains(document.activeElement) && document.activeElement;
  if (card.isConnected && $("cards").moveBefore) $("cards").moveBefore(card, before);
  else $("cards").insertBefore(card, before);
  if (focus && focus !== document.activeElement) focus.focus({ preventScroll: true });
}

function drop(card) {
  if (card.contains(document.activeElement)) $("cards").focus({ preventScroll: true });
  card.remove();
}

function drawHead() {
  const { counts, service, uptime } = page;
  write($("service"), service || "Circuits");
  write($("uptime"), page.now ? `up ${span(uptime)}` : "");
  for (const button of $("filters").children) {
    const n = button.value === "all" ? Object.keys(STATES).reduce((sum, s) => sum + (s === "held" ? 0 : counts[s] ?? 0), 0) : counts[button.value] ?? 0;
    write(button.lastElementChild, count(n));
    button.classList.toggle("none", n === 0);
  }
  const more = (rows.matching ?? 0) - rows.list.length;
  const notes = [];
  if (more > 0 || page.total > items.size) notes.push(`${plural(Math.max(more, page.total - items.size), "more circuit")} not shown, none of which is worse: narrow the search.`);
  if (page.now && !page.discovery) notes.push("Functions appear with their first call.");
  write($("note"), notes.join(" "));
  $("note").hidden = !notes.length;
}

function drawLive() {
  const silent = link.heard ? silence() : 0;
  const stale = link.heard ? silent >= SILENCE : !!link.problem;
  const is = stale ? "stale" : !link.heard ? "wait" : view.paused ? "paused" : "live";
  link.stale = stale;
  document.body.classList.toggle("stale", stale);
  $("live").dataset.is = is;
  write($("live-text"), { stale: link.heard ? `Stale, ${span(silent)}` : "No data", wait: "Connecting", paused: "Paused", live: "Live" }[is]);
  const as = link.heard && moment((view.paused ?? link.heard.date) / 1000);
  const banner = stale ? `${as ? `Stale: nothing was heard since ${as}.` : "There is no data yet."} ${link.problem || ""}` : view.paused ? `Paused: this is how it was at ${as}.` : "";
  write($("banner"), banner);
  $("banner").hidden = !banner;
}

// Writes only what has changed, as a write alone makes the browser lay out again.
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function put(item, field, value, set = (element) => (element.textContent = value)) {
  if (item.seen[field] === value) return;
  item.seen[field] = value;
  set(item.at[field]);
}

const icon = (state) => `#icon-${state}`;
const clone = (id) => $(id).content.cloneNode(true);

function create(item) {
  const card = clone("card").firstElementChild;
  item.card = card;
  item.at = Object.fromEntries([...card.querySelectorAll("[data-f]")].map((e) => [e.dataset.f, e]));
  card.item = item;
  const at = item.name.lastIndexOf("::") + 1;
  item.at.path.textContent = at ? item.name.slice(0, at + 1) : "";
  item.at.last.textContent = at ? item.name.slice(at + 1) : item.name;
  item.toggle = card.querySelector("h2 button");
  item.toggle.onclick = () => toggle(item);
  eyes.observe(card);
}

function drawCard(item) {
  dirty.delete(item);
  if (!item.card) create(item);
  const { data: d, card, passed } = item;
  put(item, "is", lookOf(d), () => {
    card.dataset.is = lookOf(d);
    card.querySelector("use").setAttribute("href", icon(lookOf(d)));
  });
  put(item, "state", stateWords(d));
  put(item, "left", d.kind === "idle" || item.group ? "" : timeLeft(d, passed));
  put(item, "why", item.why);
  put(item, "held", item.heldBy, (element) => ((element.textContent = item.heldBy), (element.hidden = !item.heldBy)));
  if (d.kind !== "idle") {
    put(item, "rate", item.rate === null ? "" : rate(item.rate));
    put(item, "ok", count(d.succeeded));
    put(item, "bad", count(d.failed));
    put(item, "cut", count(d.rejected));
    drawBars(item);
    if (inView.has(item)) drawSpark(item);
  }
  if (item.open) drawMore(item);
}

function drawBars(item) {
  const bars = item.card.querySelector(".bars");
  const { limits } = item;
  while (bars.children.length > limits.length) bars.lastElementChild.remove();
  limits.forEach(({ what, value, fill, mark, used }, i) => {
    const bar = bars.children[i] ?? bars.appendChild(clone("bar").firstElementChild);
    const seen = `${what} ${value} ${fill} ${used}`;
    if (bar.seen === seen) return;
    bar.seen = seen;
    bar.className = `bar${used >= 1 ? " over" : used >= 0.5 ? " near" : ""}`;
    const [label, text, svg] = bar.children;
    write(label, what);
    write(text, value);
    svg.children[1].setAttribute("width", Math.min(100, fill * 100).toFixed(1));
    svg.children[2].setAttribute("d", `M${Math.min(99.5, mark * 100)} 0v8`);
  });
}

// Stacked from below: succeeded, failed, rejected; one step for each second that is over.
function drawSpark(item) {
  const end = Math.floor(page.now);
  if (item.drawn === end) return;
  item.advance();
  const empty = !(item.last > end - SECONDS - 2);
  if (empty && item.drawn === 0) return;
  item.drawn = empty ? 0 : end;
  const levels = [0, 1, 2, 3].map(() => new Float32Array(SECONDS));
  const sums = [0, 0, 0];
  let peak = 0;
  for (let x = 0; x < SECONDS; x++) {
    const slot = (((end - SECONDS + x) % SECONDS) + SECONDS) % SECONDS;
    // The slot of the second that has just begun is that of the oldest one.
    for (let i = 0; i < 3; i++) {
      const n = x === 0 ? 0 : item.ring[slot * 3 + i];
      sums[i] += n;
      levels[i + 1][x] = levels[i][x] + n;
    }
    peak = Math.max(peak, levels[3][x]);
  }
  const y = (n) => (40 - (n / (peak || 1)) * 36).toFixed(1);
  const steps = (line, order) => order.map((x) => `V${y(line[x])}H${order[0] ? x : x + 1}`).join("");
  const there = [...Array(SECONDS).keys()];
  const back = [...there].reverse();
  const paths = item.card.querySelectorAll(".spark path");
  for (let i = 0; i < 3; i++) {
    paths[i].setAttribute("d", sums[i] ? `M0 40${steps(levels[i + 1], there)}${steps(levels[i], back)}Z` : "");
  }
  put(item, "peak", peak ? `peak ${rate(peak)}` : "no calls");
  paths[0].parentElement.setAttribute("aria-label", `The last two minutes: ${sums.map((n, i) => `${count(Math.round(n))} ${["succeeded", "failed", "rejected"][i]}`).join(", ")}`);
}

// --- The details of a card

function toggle(item) {
  item.open = !item.open;
  item.toggle.setAttribute("aria-expanded", item.open);
  item.card.classList.toggle("wide", item.open);
  const more = item.card.querySelector(".more");
  more.hidden = !item.open;
  if (!item.open) return (rows.late = true), plan();
  if (!more.children.length) more.append(clone("more"));
  drawMore(item);
  if (item.data.kind !== "idle") ask(`breakers/${encodeURIComponent(item.name)}`).then(async (r) => r.ok && learn((await r.json()).changes), () => {});
}

function drawMore(item) {
  const { data: d } = item;
  const find = (selector) => item.card.querySelector(`.more ${selector}`);
  const redraw = (field, value, draw) => put(item, `more ${field}`, JSON.stringify(value), draw);
  redraw("acts", page.controls, () => {
    find(".acts").hidden = !page.controls || d.kind === "keyed" || d.kind === "idle";
    find(".acts").replaceChildren(...Object.keys(ORDERS).map((action) => button(ORDERS[action].name, () => give(item.name, action))));
  });
  redraw("members", d.members && [d.members, Math.round(item.passed)], () => {
    find(".keys").hidden = !d.members;
    if (d.members) drawMembers(item, find(".keys"));
  });
  redraw("past", item.past, () => {
    find(".past").hidden = d.kind === "idle";
    find(".past .none").hidden = item.past.length > 0;
    find(".past ol").replaceChildren(...item.past.map((c) => drawChange(c, item)));
  });
  redraw("rules", [d.config, d.changed_by_file], () => {
    find(".rules").hidden = !d.config;
    const changed = d.changed_by_file ?? {};
    const names = Object.keys({ ...d.config, ...changed });
    find(".rules dl").replaceChildren(...names.flatMap((name) => {
      const [dt, dd] = pair(name, d.config[name] ?? "none");
      if (name in changed) (dd.className = "changed"), (dd.dataset.note = `changed by the file, was ${changed[name].from ?? "none"}`);
      return [dt, dd];
    }));
  });
  const sums = ["succeeded", "failed", "timed_out", "panicked", "slow", "ignored", "cancelled", "rejected", "opened", "withheld"];
  redraw("sums", sums.map((sum) => d[sum]), () => {
    find(".sums").hidden = d.kind === "idle";
    find(".sums dl").replaceChildren(...sums.flatMap((sum) => pair(sum.replace("_", " "), number.format(d[sum] ?? 0))));
  });
  redraw("source", d.source ?? null, () => (find(".source").textContent = d.source ? `${d.source.file}:${d.source.line}` : ""));
}

function make(tag, text, attributes = {}) {
  const element = Object.assign(document.createElement(tag), attributes);
  element.textContent = text;
  return element;
}

const pair = (term, value) => [make("dt", term), make("dd", String(value))];
const button = (text, onclick) => make("button", text, { type: "button", onclick });

function drawChange(change, item) {
  const row = make("li", "");
  row.dataset.is = change.to;
  const key = item.group && change.breaker !== item.name ? `${change.breaker} ` : "";
  const after = change.since > 0 ? ` after ${span(change.since)}` : "";
  const rejected = change.rejected ? ` ${plural(change.rejected, "call")} rejected.` : "";
  row.append(make("time", moment(change.at), { dateTime: new Date(change.at * 1000).toISOString() }), ` ${key}`, make("b", STATES[change.to] ?? change.to), `${after}: ${cause(change, item.data.config)}.${rejected}`);
  return row;
}

function drawMembers(item, section) {
  const { data: d, passed } = item;
  const body = section.querySelector("tbody");
  const rows = new Map([...body.children].map((row) => [row.dataset.name, row]));
  const hidden = d.members_total - d.members.length;
  write(section.querySelector("h3"), `${d.kind === "keyed" ? "Keys" : "Breakers of this name"}, worst first${hidden > 0 ? `: ${d.members.length} of ${count(d.members_total)}` : ""}`);
  d.members.forEach((m, i) => {
    const id = d.kind === "keyed" ? m.name : String(i);
    const row = rows.get(id) ?? body.insertRow();
    rows.delete(id);
    if (!row.cells.length) {
      row.dataset.name = id;
      for (let cell = 0; cell < 5; cell++) row.insertCell();
      row.cells[1].append(item.card.querySelector(".icon").cloneNode(true), make("span", ""));
      if (page.controls && d.kind === "keyed") row.cells[4].append(button("Order", () => give(m.name, "force-open")));
    }
    row.dataset.is = lookOf(m);
    row.querySelector("use").setAttribute("href", icon(lookOf(m)));
    write(row.cells[0], m.key ?? `#${i + 1}`);
    write(row.cells[1].lastElementChild, [stateWords(m), timeLeft(m, passed)].filter(Boolean).join(", "));
    write(row.cells[2], count(m.failed));
    write(row.cells[3], count(m.rejected));
    if (body.children[i] !== row && !row.contains(document.activeElement)) body.insertBefore(row, body.children[i]);
  });
  rows.forEach((row) => row.remove());
}

// --- Orders

const ORDERS = {
  "force-open": { name: "Force open", what: "Every call is rejected until the order ends." },
  "force-closed": { name: "Force closed", what: "Every call is admitted until the order ends, however many fail." },
  trip: { name: "Trip", what: "The circuit opens now, as after too many failures, and recovers by itself." },
  reset: { name: "Reset", what: "The circuit closes, forgets its failures, and any order ends." },
};

let giving;

function give(name, action) {
  giving = name;
  write($("act-name"), name);
  $("act-error").hidden = true;
  $("act").showModal();
  choose(action);
  $("act-reason").focus();
}

function choose(action) {
  $("act-order").value = action;
  write($("act-what"), ORDERS[action].what);
  write($("act-do"), ORDERS[action].name);
  $("act-time").hidden = action === "reset";
  $("act-rules").hidden = action !== "trip";
  document.querySelector(`#act-time [value="${action === "trip" ? "" : 900}"]`).checked = true;
}

async function order() {
  const action = $("act-order").value;
  const chosen = document.querySelector("#act-time :checked").value;
  const seconds = Number(chosen === "own" ? $("act-own").value : chosen) || undefined;
  const body = JSON.stringify({ reason: $("act-reason").value, ...(action !== "reset" && { seconds }) });
  const headers = { "Content-Type": "application/json", "X-Circuit-Dashboard": "1" };
  $("act-do").disabled = true;
  const response = await ask(`breakers/${encodeURIComponent(giving)}/${action}`, { method: "POST", headers, body }).catch((error) => error);
  $("act-do").disabled = false;
  if (response.ok) return $("act").close();
  write($("act-error"), response instanceof Error ? `The order was not sent: ${response.message}` : await problemOf(response));
  $("act-error").hidden = false;
}

function askToken() {
  $("token-error").hidden = token === null;
  $("token").value = "";
  $("ask").showModal();
  return new Promise((done) => $("ask").addEventListener("close", () => {
    token = $("token").value || token;
    $("token").value = "";
    done();
  }, { once: true }));
}

// --- Start

for (const [value, word] of Object.entries({ all: "All", ...STATES })) {
  const filter = button(`${word} `, () => {
    view.state = value;
    for (const b of $("filters").children) b.setAttribute("aria-pressed", b.value === value);
    sortNow();
  });
  filter.value = value;
  filter.append(make("b", "0"));
  filter.setAttribute("aria-pressed", value === "all");
  $("filters").append(filter);
}

function sortNow() {
  rows.late = true;
  quietAt = 0;
  plan();
}

$("search").oninput = () => ((view.text = $("search").value), sortNow());
$("order").onchange = () => ((view.order = $("order").value), sortNow());
$("pause").onclick = () => {
  view.paused = view.paused ? null : Date.now();
  $("pause").setAttribute("aria-pressed", !!view.paused);
  plan();
  drawLive();
};
$("act-order").append(...Object.entries(ORDERS).map(([value, { name }]) => make("option", name, { value })));
$("act-order").onchange = () => choose($("act-order").value);
$("act").querySelector("form").onsubmit = (e) => (e.preventDefault(), order());
$("act-no").onclick = () => $("act").close();
for (const kind of ["pointerdown", "keydown", "wheel", "touchmove"]) addEventListener(kind, () => (quietAt = performance.now() + 1500), { passive: true });

setInterval(() => {
  if (link.since !== null && Math.max(performance.now() - link.since, 0) / 1000 > SILENT_FOR_GOOD && silence() > SILENT_FOR_GOOD) link.stop?.abort();
  drawLive();
  say();
  if (view.order === "traffic" && performance.now() - rows.at > RESORT * 1000) rows.late = true;
  if (!link.stale) inView.forEach(touch), plan();
}, 1000);

follow();
