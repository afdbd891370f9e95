// Keeps what the stream reports, and draws what has changed.

const SECONDS = 120; // of a sparkline
const [STALE, RECONNECT] = [5, 10]; // seconds of silence
const RESORT = 5; // seconds between orders by traffic
const MOST_CARDS = 500;
const MOST_CHANGES = 50; // of a card
const BUDGET = 10; // milliseconds of a frame
const STATES = { open: "Open", "half-open": "Half-open", held: "Held", closed: "Closed", idle: "Idle" };
const CALLS = ["succeeded", "failed", "rejected"];
const SUMS = "succeeded failed timed_out panicked slow ignored cancelled rejected opened withheld".split(" ");
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
const ORDERS = {
  "force-open": ["Force open", "Every call is rejected until the order ends."],
  "force-closed": ["Force closed", "Every call is admitted until the order ends, however many fail."],
  trip: ["Trip", "The circuit opens as after failures, and recovers by itself."],
  reset: ["Reset", "The circuit closes and forgets its failures, and an order ends."],
};

const $ = (id) => document.getElementById(id);
const api = `${location.pathname.replace(/\/?$/, "/")}api/`;
const clock = () => performance.now();
const { ceil, floor, max, min, round } = Math;
const cards = $("cards");
const items = new Map(); // by name
const view = { state: "all", text: "", order: "worst", paused: false };
const page = {};
const link = { problem: "", wait: 1 };
let token;

// --- Words

const long = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const today = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const earlier = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

const count = (n) => (n < 100_000 ? long : short).format(n);
const plural = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
const times = (n) => (n === 1 ? "once" : `${count(n)} times`);
const percent = (share) => `${round(share * 1000) / 10} %`;
const rate = (n) => `${n === 0 || n >= 9.95 ? count(round(n)) : n.toFixed(1)}/s`;

function span(seconds) {
  const s = max(0, round(seconds));
  const [m, h] = [floor(s / 60), floor(s / 3600)];
  if (m < 1) return `${s} s`;
  if (h < 1) return `${m} min ${String(s % 60).padStart(2, "0")} s`;
  return h < 48 ? `${h} h ${m % 60} min` : `${floor(h / 24)} d ${h % 24} h`;
}

function moment(seconds) {
  const date = new Date(seconds * 1000);
  return (date.toDateString() === new Date().toDateString() ? today : earlier).format(date);
}

function within({ window } = {}) {
  if (typeof window === "number") return `in the last ${plural(window, "call")}`;
  return window ? `in ${window}` : "in a row";
}

// The cause of a change, with its evidence.
function why({ cause, window: w }, config) {
  const share = (n, what) => `${percent(n / w.calls)} of ${plural(w.calls, "call")} ${what}`;
  if (w && cause === "max_failures") return `${plural(w.failed, "failure")} ${within(config)}`;
  if (w && cause === "failure_rate") return share(w.failed, "failed");
  if (w && cause === "slow_rate") return share(w.slow, "were slow");
  return CAUSES[cause] ?? cause;
}

const looks = (d) => (d.hold && !d.members ? "held" : d.state);
const stateOf = (d) => (looks(d) === "held" ? `Held ${d.hold.to}` : STATES[d.state]);

const fleetIs = (f) => f ? `Fleet: ${{ shared: plural(f.members, "member"), degraded: `degraded for ${span(f.degraded_for)}` }[f.sharing] ?? "not running"}` : "";

// The votes on a circuit, and its prober.
function fleetOf(name) {
  const { votes, needed, prober } = page.fleet?.circuits.find((c) => c.name === name) ?? {};
  return [needed && `${votes} of ${plural(needed, "vote")} to open`, prober && `probed by ${prober}`].filter(Boolean).join(", ");
}

function timeLeft(d, passed) {
  if (d.members || d.kind === "idle") return "";
  if (d.hold) return d.hold.ends_in === null ? "without an end" : `${span(ceil(d.hold.ends_in - passed))} left`;
  if (d.state === "half-open") return d.ramp ? `${percent(d.ramp)} of calls admitted` : "probing";
  return d.retry_after === null ? "" : `probe in ${span(ceil(d.retry_after - passed))}`;
}

// --- Circuits

class Item {
  constructor(name) {
    this.name = name;
    this.past = []; // latest change first
    this.ring = new Float32Array(SECONDS * 3); // the calls of each second
    this.until = this.from = floor(page.now);
    this.drawn = {};
  }

  // Spreads the calls since `before`.
  take(data, before) {
    const old = this.data;
    Object.assign(this, { data, heard: link.heard.time, told: page.now });
    if (data.last_change) this.learn(data.last_change);
    this.advance();
    const grown = CALLS.map((sum) => max(0, data[sum] - old?.[sum]) || 0);
    if (!grown.some(Boolean)) return;
    const start = max(before, page.now - SECONDS + 1);
    for (let s = floor(start); s <= page.now; s++) {
      const share = (min(s + 1, page.now) - max(s, start)) / (page.now - start || 1);
      grown.forEach((n, i) => (this.calls(s)[i] += n * share));
    }
    this.last = page.now;
  }

  calls(second) {
    const at = (second % SECONDS) * 3;
    return this.ring.subarray(at, at + 3);
  }

  find(part) {
    return this.card.querySelector(part);
  }

  // Empties the seconds that have begun since.
  advance() {
    const now = floor(page.now);
    for (let s = max(this.until + 1, now - SECONDS + 1); s <= now; s++) this.calls(s).fill(0);
    this.until = now;
  }

  // Calls a second, of the last ten.
  get rate() {
    this.advance();
    const seconds = min(10, this.until - this.from - 1);
    let sum = 0;
    for (let s = 1; s <= seconds; s++) for (const n of this.calls(this.until - s)) sum += n;
    return seconds > 0 ? sum / seconds : 0;
  }

  learn(change) {
    if (this.past.some((c) => ["at", "breaker", "cause"].every((it) => c[it] === change[it]))) return;
    this.past.push(change);
    this.past.sort((a, b) => b.at - a.at).splice(MOST_CHANGES);
    dirty.add(this);
  }

  matches() {
    const { data: d } = this;
    const held = view.state === "held" && (d.hold || d.members_counts?.held);
    return this.open || ((held || ["all", d.state].includes(view.state)) && this.name.toLowerCase().includes(view.text));
  }

  // Each limit, and how far it is used.
  get limits() {
    const { config: c, window: w, consecutive_failures: run, members } = this.data;
    const limits = [];
    if (members || !c) return limits;
    const failed = w?.failed ?? run ?? 0;
    const used = failed / c.max_failures;
    if (c.max_failures) limits.push({ what: `Failures ${within(c)}`, value: `${count(failed)}, limit ${count(c.max_failures)}`, fill: used * 0.8, mark: 0.8, used });
    const share = (what, n, limit) => {
      const [calls, least] = [w?.calls ?? 0, c.min_calls ?? 1];
      const fill = calls && n / calls;
      const value = calls < least ? `${count(calls)} of ${plural(least, "call")} needed` : `${percent(fill)}, limit ${percent(limit)}`;
      limits.push({ what, value, fill, mark: limit, used: calls < least ? 0 : fill / limit });
    };
    if (c.failure_rate) share(`Failed ${within(c)}`, failed, c.failure_rate);
    if (c.slow_rate) share(`Slower than ${c.slow_call}`, w?.slow ?? 0, c.slow_rate);
    return limits;
  }

  // Worst first. One near a limit stays so until it is well below.
  get rank() {
    const { data: d } = this;
    const open = d.members ? 1 - d.members_counts.open / d.members_total : d.hold ? 1 : 0;
    if (d.state !== "closed") return { open, "half-open": 2 }[d.state] ?? 6;
    this.near = max(0, ...this.limits.map((l) => l.used)) >= (this.near ? 0.3 : 0.5);
    return d.hold ? 3 : this.near ? 4 : 5;
  }

  // Seconds since the state was told, if live.
  get passed() {
    return (link.live - this.heard) / 1000;
  }

  get why() {
    const { data: d, past } = this;
    if (d.kind === "idle") return "Never called";
    if (d.members) {
      const { open, held } = d.members_counts;
      const all = plural(d.members_total, d.kind === "keyed" ? "key" : "breaker");
      return `${count(open)} of ${all} open${held ? `, ${count(held)} held` : ""}`;
    }
    if (d.withheld && d.hold?.to === "closed") return `Would have opened ${times(d.withheld)}`;
    // Not a probe that failed since.
    const opening = d.state !== "closed" && (past.find((c) => c.to === "open" && c.from === "closed") ?? past.find((c) => c.to === "open"));
    const first = opening ? `Opened ${moment(opening.at)}: ${why(opening, d.config)}` : `${STATES[d.state]} for ${span(d.since + this.passed)}`;
    return d.reopenings ? `${first}. Reopened ${times(d.reopenings)}${d.reopenings > 1 ? " in a row" : ""}` : first;
  }

  get heldBy() {
    const { hold, order, members } = this.data;
    if (!hold || members) return "";
    const by = hold.source === "file" ? "the file of rules" : order?.actor ?? "the program";
    const until = hold.ends_in === null ? "" : ` until ${moment(round(this.told + hold.ends_in))}`;
    return `Held by ${by}${until}${order ? `: ${order.reason}` : ""}`;
  }
}

// A key has that of its function.
const itemOf = (name) => items.get(name) ?? [...name.matchAll(/\[/g)].map(({ index }) => items.get(name.slice(0, index))).find(Boolean);

function learn({ changes }) {
  for (const change of changes) itemOf(change.breaker)?.learn(change);
  plan();
}

function forget(name) {
  const item = items.get(name);
  items.delete(name);
  inView.delete(item);
  if (item?.card) drop(item.card);
  rows.late = true;
}

// --- The stream

const ask = (path, { headers, ...options } = {}) => fetch(api + path, { ...options, headers: { ...(token && { Authorization: `Bearer ${token}` }), ...headers } });
const get = (path, take) => ask(path).then(async (response) => response.ok && take(await response.json())).catch(() => {});
const problemOf = async (response) => (await response.json().catch(() => ({}))).error ?? `The server answered ${response.status}.`;

async function follow() {
  for (;;) {
    Object.assign(link, { since: clock(), stop: new AbortController() });
    link.problem = await read().catch((error) => (link.stop.signal.aborted ? "The stream was silent." : `${error.message}.`));
    link.since = null;
    do await new Promise((go) => setTimeout((link.go = go), link.wait * 1000)); while (view.paused);
    link.wait = min(link.wait * 2, 8);
  }
}

// Returns the reason of its end.
async function read() {
  const response = await ask("stream", { signal: link.stop.signal });
  if (response.status === 401) {
    await askToken();
    link.wait = 0.1;
    return "";
  }
  if (!response.ok) return problemOf(response);
  Object.assign(link, { since: clock(), wait: 1, problem: "" });
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
  const { event, data } = Object.fromEntries(block.split("\n").map((line) => /^([^:]*):? ?(.*)/.exec(line).slice(1)));
  if (!data) return;
  link.heard = { time: clock(), date: Date.now() };
  events[event]?.(JSON.parse(data));
  drawLive();
}

const events = {
  snapshot(list) {
    if (list.uptime < page.uptime) [...items.keys()].forEach(forget); // another run
    const { service, controls, discovery } = list;
    Object.assign(page, { service, controls, discovery });
    const gone = new Set(items.keys());
    for (const { name } of list.breakers) gone.delete(name);
    events.update({ ...list, removed: gone });
    get("changes", learn);
  },
  update({ now, uptime, counts, total, fleet, breakers, removed }) {
    const before = page.now || now;
    const circuits = [page.fleet, fleet].flatMap((it) => it?.circuits ?? []);
    if (fleet && fleet.sharing !== page.fleet?.sharing) unsaid.push(`${fleetIs(fleet)}.`);
    Object.assign(page, { now, uptime, counts, total, fleet });
    removed.forEach(forget);
    for (const data of breakers) {
      if (!items.has(data.name)) items.set(data.name, new Item(data.name));
      const item = items.get(data.name);
      item.take(data, before);
      dirty.add(item);
      if (item.order !== (item.order = item.rank)) rows.late = true;
    }
    for (const { name } of circuits) if (itemOf(name)) dirty.add(itemOf(name));
    plan();
  },
  change(change) {
    learn({ changes: [change] });
    if (change.from !== change.to) unsaid.push(`${change.breaker} is ${change.to}: ${why(change, itemOf(change.breaker)?.data.config)}.`);
  },
};

// --- Drawing: cards in view first, others as time allows

const rows = { list: [], next: 0, late: true };
const dirty = new Set();
const inView = new Set();
let unsaid = [];
let planned = 0;
let seconds = 0;
let still = 0; // nothing moves under a finger before

const eyes = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    inView[isIntersecting ? "add" : "delete"](target.item);
    dirty.add(target.item);
  }
  plan();
}, { rootMargin: "300px" });

const plan = () => (planned ||= requestAnimationFrame(draw));

function draw() {
  planned = 0;
  const start = clock();
  const late = () => clock() - start > BUDGET;
  if (rows.late && start >= still) sort();
  drawHead();
  for (const item of inView) if (dirty.has(item)) drawCard(item);
  while (rows.next < rows.list.length) {
    if (late()) return plan();
    arrange(rows.list[rows.next], rows.next++);
  }
  for (let extra; (extra = cards.children[rows.list.length]); ) drop(extra);
  for (const item of dirty) {
    if (late()) return plan();
    dirty.delete(item);
    if (item.card?.isConnected) drawCard(item);
  }
}

function sort() {
  const all = [...items.values()].filter((item) => item.matches());
  for (const item of all) item.key = { worst: item.order, traffic: -item.rate, name: 0 }[view.order];
  all.sort((a, b) => a.key - b.key || (a.name < b.name ? -1 : 1));
  Object.assign(rows, { list: all.slice(0, MOST_CARDS), next: 0, late: false, matching: all.length });
}

// Puts a card where it belongs, and keeps its focus.
function arrange(item, index) {
  if (!item.card) drawCard(item);
  const here = cards.children[index];
  if (here === item.card) return;
  const focus = item.card.contains(document.activeElement) && document.activeElement;
  cards.insertBefore(item.card, here ?? null);
  if (focus) focus.focus({ preventScroll: true });
}

function drop(card) {
  if (card.contains(document.activeElement)) cards.focus({ preventScroll: true });
  card.remove();
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function show(element, text) {
  write(element, text);
  element.hidden = !text;
}

function put(item, field, value, set) {
  if (item.drawn[field] === value) return;
  item.drawn[field] = value;
  if (set) set(value);
  else show(item.find(`[data-f=${field}]`), value);
}

function drawHead() {
  const { counts, service, uptime, discovery, total, fleet } = page;
  if (!page.now) return;
  write($("service"), service);
  write($("uptime"), `up ${span(uptime)}`);
  show($("fleet"), fleetIs(fleet));
  $("fleet").dataset.is = fleet?.sharing;
  for (const { value, lastElementChild } of $("filters").children) write(lastElementChild, count(value === "all" ? total : counts[value]));
  const more = rows.matching - rows.list.length;
  show($("note"), [
    more > 0 && `${plural(more, "more circuit")} of this filter.`,
    total > items.size && `The worst ${count(items.size)} of ${count(total)} circuits are known here.`,
    !discovery && "Functions appear with their first call.",
  ].filter(Boolean).join(" "));
  show($("empty"), rows.list.length ? "" : items.size ? "No circuit matches." : "No circuit yet.");
}

// One clock may rest while the machine sleeps, the other may be set.
const silence = () => max(clock() - link.heard.time, Date.now() - link.heard.date) / 1000;

function drawLive() {
  const { heard, problem } = link;
  link.stale = !!heard && !view.paused && silence() >= STALE;
  const is = link.stale ? "Stale" : !heard ? "Connecting" : view.paused ? "Paused" : "Live";
  if (is === "Live") link.live = clock();
  document.body.classList.toggle("stale", link.stale);
  if (heard) document.title = `${is !== "Live" ? `${is} · ` : page.counts.open ? `${page.counts.open} open · ` : ""}${page.service}`;
  $("live").dataset.is = is;
  write($("live-text"), is);
  const at = heard && moment(heard.date / 1000);
  show($("banner"), { Stale: `Stale: nothing was heard since ${at}. ${problem}`, Connecting: problem, Paused: `Paused: this is how it was at ${at}.` }[is] ?? "");
}

const clone = (id) => $(id).content.cloneNode(true);

function make(tag, text, attributes) {
  const element = Object.assign(document.createElement(tag), attributes);
  element.append(text);
  return element;
}

const button = (text, onclick, more) => make("button", text, { onclick, ...more });

function setState(parent, d) {
  parent.dataset.is = looks(d);
  parent.querySelector("use").setAttribute("href", `#icon-${looks(d)}`);
}

function create(item) {
  const card = (item.card = clone("card").firstElementChild);
  card.item = item;
  const [, path, last] = /^(.*::)?(.*)$/s.exec(item.name);
  put(item, "path", path ?? "");
  put(item, "last", last);
  item.find("button").onclick = () => toggle(item);
  eyes.observe(card);
}

function drawCard(item) {
  dirty.delete(item);
  if (!item.card) create(item);
  const { data: d } = item;
  put(item, "is", looks(d), () => setState(item.card, d));
  put(item, "state", stateOf(d));
  put(item, "left", timeLeft(d, item.passed));
  put(item, "why", item.why);
  put(item, "held", item.heldBy);
  put(item, "fleet", fleetOf(item.name));
  if (d.kind !== "idle") {
    put(item, "rate", rate(item.rate));
    CALLS.forEach((sum) => put(item, sum, count(d[sum])));
    drawBars(item);
    if (inView.has(item)) drawSpark(item);
  }
  if (item.open) drawMore(item);
}

function drawBars(item) {
  const bars = item.find(".bars");
  const { limits } = item;
  put(item, "bars", limits.length, (n) => bars.replaceChildren(...Array.from({ length: n }, () => clone("bar"))));
  limits.forEach(({ what, value, fill, mark, used }, i) => put(item, `bar${i}`, [limits.length, what, value, fill, used].join(), () => {
    const bar = bars.children[i];
    bar.className = `bar ${used >= 1 ? "over" : used >= 0.5 ? "near" : ""}`;
    const [label, text, svg] = bar.children;
    write(label, what);
    write(text, value);
    svg.firstElementChild.setAttribute("width", min(100, fill * 100));
    svg.lastElementChild.setAttribute("d", `M${min(99.5, mark * 100)} 0v8`);
  }));
}

// From below: succeeded, failed, rejected; a step a second.
function drawSpark(item) {
  item.advance();
  const end = item.until;
  if (item.drawn.end === end || (item.drawn.empty && !(item.last > end - SECONDS))) return;
  const sums = [0, 0, 0];
  const levels = Array.from({ length: SECONDS - 1 }, (_, x) => {
    let level = 0;
    return [0, ...Array.from(item.calls(end - SECONDS + 1 + x), (n, i) => ((sums[i] += n), (level += n)))];
  });
  const peak = max(...levels.map((level) => level[3]));
  const y = (n) => (40 - (n / (peak || 1)) * 28).toFixed(1);
  const paths = item.card.querySelectorAll(".spark path");
  paths.forEach((path, i) => {
    const top = levels.map((level, x) => `V${y(level[i + 1])}H${x + 2}`);
    const bottom = levels.map((level, x) => `V${y(level[i])}H${x + 1}`).reverse();
    path.setAttribute("d", sums[i] ? `M1 40${[...top, ...bottom].join("")}Z` : "");
  });
  Object.assign(item.drawn, { end, empty: !peak });
  put(item, "peak", peak ? `peak ${rate(peak)}` : "no calls");
  paths[0].parentElement.ariaLabel = `The last two minutes: ${CALLS.map((sum, i) => `${count(round(sums[i]))} ${sum}`).join(", ")}`;
}

// --- Details

function toggle(item) {
  item.open = !item.open;
  item.find("button").ariaExpanded = item.open;
  item.card.classList.toggle("wide", item.open);
  const more = item.find(".more");
  more.hidden = !item.open;
  rows.late = true;
  if (!more.children.length) more.append(clone("more"));
  if (item.open) {
    drawMore(item);
    if (item.data.kind !== "idle" && !view.paused) get(`breakers/${encodeURIComponent(item.name)}`, learn);
  }
  plan();
}

function drawMore(item) {
  const { data: d, past } = item;
  const part = (name, value, isThere, draw) => put(item, name, JSON.stringify([value, isThere]), () => {
    const element = item.find(`.more .${name}`);
    element.hidden = !isThere;
    if (isThere) draw(element.querySelector("dl, ol, tbody") ?? element, element);
  });
  const called = d.kind !== "idle";
  const changed = d.changed_by_file ?? {};
  part("acts", 0, page.controls && called && d.kind !== "keyed", (list) => list.replaceChildren(...Object.keys(ORDERS).map((order) => button(ORDERS[order][0], () => give(item.name, order)))));
  part("keys", [d.members, round(item.passed)], !!d.members, (list, all) => drawMembers(item, list, all));
  part("past", past, called, (list) => list.replaceChildren(...(past.length ? past.map((c) => drawChange(c, item)) : [make("p", "No change has been recorded.")])));
  part("rules", [d.config, changed], called, (list) => list.replaceChildren(...Object.keys({ ...d.config, ...changed }).flatMap((name) => {
    const value = make("dd", d.config[name] ?? "none");
    if (name in changed) value.append(make("em", ` changed by the file, was ${changed[name].from ?? "none"}`));
    return [make("dt", name), value];
  })));
  part("sums", SUMS.map((sum) => d[sum]), called, (list) => list.replaceChildren(...SUMS.flatMap((sum) => [make("dt", sum.replace("_", " ")), make("dd", long.format(d[sum]))])));
  part("source", d.source, !!d.source, (line) => write(line, `${d.source.file}:${d.source.line}`));
}

function drawChange(c, item) {
  const row = make("li", make("time", moment(c.at)));
  row.dataset.is = c.to;
  const key = item.data.members && c.breaker !== item.name ? ` ${c.breaker.slice(item.name.length)}` : "";
  row.append(`${key} `, make("b", STATES[c.to]), `: ${why(c, item.data.config)}, after ${span(c.since)}${c.rejected ? ` and ${plural(c.rejected, "rejected call")}` : ""}.`);
  return row;
}

function drawMembers(item, list, section) {
  const { members, members_total: total, kind } = item.data;
  const old = new Map([...list.children].map((row) => [row.id, row]));
  write(section.firstElementChild, `${kind === "keyed" ? "Keys" : "Breakers of this name"}, worst first: ${count(members.length)} of ${count(total)}`);
  members.forEach((m, i) => {
    const id = kind === "keyed" ? m.name : `${item.name} ${i}`;
    const row = old.get(id) ?? clone("key").firstElementChild;
    old.delete(id);
    row.id = id;
    setState(row, m);
    const [key, state, failed, rejected, act] = row.cells;
    write(key, m.key ?? `${i + 1}`);
    write(state.lastElementChild, [stateOf(m), timeLeft(m, item.passed), fleetOf(m.name)].filter(Boolean).join(", "));
    write(failed, count(m.failed));
    write(rejected, count(m.rejected));
    if (page.controls && m.key !== null && !act.firstChild) act.append(button("Order", () => give(m.name, "force-open")));
    if (list.children[i] !== row && !row.contains(document.activeElement)) list.insertBefore(row, list.children[i] ?? null);
  });
  old.forEach((row) => row.remove());
}

// --- Orders

function give(name, order) {
  write($("act-name"), name);
  show($("act-error"), "");
  $("act").showModal();
  choose(order);
  $("act-reason").focus();
}

const time = (value) => $("act-time").querySelector(`[value="${value}"]`);

function choose(order) {
  $("act-order").value = order;
  write($("act-what"), ORDERS[order][1]);
  write($("act-do"), ORDERS[order][0]);
  $("act-time").hidden = order === "reset";
  $("act-rules").hidden = order !== "trip";
  time(order === "trip" ? "" : 900).checked = true;
}

async function order() {
  const action = $("act-order").value;
  const seconds = +(time("own").checked ? $("act-own").value : $("act-time").querySelector(":checked").value);
  const body = JSON.stringify({ reason: $("act-reason").value, ...(seconds && action !== "reset" && { seconds }) });
  const headers = { "Content-Type": "application/json", "X-Circuit-Dashboard": "1" };
  $("act-do").disabled = true;
  const path = `breakers/${encodeURIComponent($("act-name").textContent)}/${action}`;
  const problem = await ask(path, { method: "POST", headers, body }).then((response) => (response.ok ? "" : problemOf(response)), (error) => `Not sent: ${error.message}`);
  $("act-do").disabled = false;
  show($("act-error"), problem);
  if (!problem) $("act").close();
}

function askToken() {
  $("token-error").hidden = !token;
  $("ask").showModal();
  return new Promise((done) => ($("ask").onclose = () => {
    token = $("token").value.replace(/[^ -~]/g, "?");
    $("token").value = "";
    done();
  }));
}

// --- Start

function sortNow() {
  rows.late = true;
  still = 0;
  plan();
}

for (const [state, word] of Object.entries({ all: "All", ...STATES })) {
  const filter = button(`${word} `, () => {
    view.state = state;
    for (const other of $("filters").children) other.ariaPressed = other === filter;
    sortNow();
  }, { value: state, ariaPressed: state === "all" });
  filter.append(make("b", "0"));
  $("filters").append(filter);
}
for (const [value, [text]] of Object.entries(ORDERS)) $("act-order").append(make("option", text, { value }));
$("search").oninput = () => sortNow((view.text = $("search").value.toLowerCase()));
$("order").onchange = () => sortNow((view.order = $("order").value));
$("pause").onclick = () => {
  view.paused = !view.paused;
  $("pause").ariaPressed = view.paused;
  view.paused ? link.stop.abort() : link.go?.();
  drawLive();
};
$("act-order").onchange = () => choose($("act-order").value);
$("act").onsubmit = (event) => order(event.preventDefault());
$("act-own").oninput = () => (time("own").checked = true);
$("act-no").onclick = () => $("act").close();
for (const kind of ["pointerdown", "keydown", "wheel", "touchmove"]) addEventListener(kind, () => (still = clock() + 1500), { passive: true });

document.onvisibilitychange = drawLive;
setInterval(() => {
  if (link.since && clock() - link.since > RECONNECT * 1000 && !(link.heard && silence() < RECONNECT)) link.stop.abort();
  drawLive();
  if (view.paused || link.stale) return;
  if (unsaid.length) $("said").textContent = unsaid.length > 4 ? `${unsaid.length} changes of state.` : unsaid.join(" ");
  unsaid = [];
  if (view.order === "traffic" && ++seconds % RESORT === 0) rows.late = true;
  inView.forEach((item) => dirty.add(item));
  plan();
}, 1000);
follow();
