// Five hundred circuits, all with calls.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { close, open, picture, RULES, start } from "./support.mjs";

after(close);

/** The longest that a frame may keep the page's thread busy, in milliseconds. */
const MOST = 100;

/** Returns the processor's time of each task of the page's thread: other processes do not add to it. */
function busy(trace) {
  const { traceEvents: events } = JSON.parse(trace);
  const main = events.filter((e) => e.name === "thread_name" && e.args.name === "CrRendererMain").map((e) => `${e.pid} ${e.tid}`);
  const tasks = events.filter((e) => e.name.endsWith("RunTask") && main.includes(`${e.pid} ${e.tid}`));
  assert.ok(tasks.some((task) => task.tdur > 0), "the trace has the processor's time");
  return tasks.map((task) => ({ ms: (task.tdur ?? 0) / 1000 }));
}

test("five hundred circuits are drawn and updated without a long frame", async (t) => {
  const program = await start(t);
  await program.tell("many", 500);
  const page = await open(program, {
    // Counts the updates that the page has drawn, by what it says of the first card.
    prepare: async (page) => page.context().browser().startTracing(page, { categories: ["toplevel", "devtools.timeline"] }),
  });
  await page.waitForFunction(() => document.querySelectorAll("#cards > .card").length === 500);
  const first = page.locator("#cards > .card [data-f=succeeded]").first();
  for (let update = 0; update < 8; update++) {
    const before = await first.textContent();
    await page.waitForFunction(([e, before]) => e.textContent !== before, [await first.elementHandle(), before]);
    // Elsewhere on the page with each update, and in another order.
    await page.evaluate((part) => scrollTo(0, (part / 8) * document.body.scrollHeight), update);
    if (update === 3) await page.locator("#order").selectOption("traffic");
    if (update === 6) await page.locator("#order").selectOption("name");
  }
  const trace = await page.context().browser().stopTracing();
  const tasks = busy(trace.toString()).map((task) => task.ms).sort((a, b) => b - a);
  t.diagnostic(`the longest tasks took ${tasks.slice(0, 5).map((ms) => ms.toFixed(1)).join(", ")} ms`);
  assert.ok(tasks[0] < MOST, `a task took ${tasks[0]} ms`);
  await picture(page, "many");
});

test("a page says how many circuits it does not show", async (t) => {
  const program = await start(t);
  await program.tell("many", 1200);
  const page = await open(program);
  await page.locator("#note", { hasText: "500 more circuits of this filter. The worst 1,000 of 1,202 circuits are known here." }).waitFor();
  await page.getByLabel("Search by name").fill("call_9");
  await page.locator("#note").waitFor({ state: "visible" });
  await page.waitForFunction(() => document.getElementById("note").textContent === "The worst 1,000 of 1,202 circuits are known here.");
});

test("only what has changed is drawn", async (t) => {
  const program = await start(t);
  for (let index = 0; index < 30; index++) await program.tell("make", `shop::call_${index}`, RULES);
  const page = await open(program, { height: 4000 });
  await page.waitForFunction(() => document.querySelectorAll("#cards > .card .peak:not(:empty)").length === 30);
  await page.evaluate(() => {
    window.touched = new Set();
    new MutationObserver((all) => all.forEach(({ target }) => {
      const card = target.closest?.(".card") ?? target.parentElement?.closest(".card");
      // How long a state has held is counted on everywhere.
      if (card && !target.closest?.("[data-f=why]")) window.touched.add(card.querySelector(".name").textContent);
    })).observe(document.getElementById("cards"), { subtree: true, childList: true, characterData: true, attributes: true });
  });
  await program.tell("succeed", "shop::call_7", 10);
  await page.waitForFunction(() => window.touched.size > 0);
  await program.tell("fail", "shop::call_8", 1);
  await page.waitForFunction(() => window.touched.size > 1);
  assert.deepEqual(await page.evaluate(() => [...window.touched]), ["shop::call_7", "shop::call_8"]);
});
