// The page shows an outage as it happens, beside what the API says.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { card, close, isIn, open, picture, RULES, start } from "./support.mjs";

after(close);

test("an outage is shown from the first failure to the recovery", async (t) => {
  const program = await start(t);
  await program.tell("make", "shop::quote", RULES);
  await program.tell("make", "shop::search", RULES);
  await program.tell("succeed", "shop::quote", 40);
  const page = await open(program);
  const quote = card(page, "shop::quote");

  await isIn(page, "shop::quote", "Closed");
  assert.equal((await program.state("shop::quote")).state, "closed");

  // Not yet at the limit: the bar fills up.
  await program.tell("fail", "shop::quote", 3);
  await quote.locator(".bar.near .value", { hasText: "3, limit 5" }).waitFor();

  await program.tell("fail", "shop::quote", 2);
  await isIn(page, "shop::quote", "Open");
  assert.notEqual((await program.state("shop::quote")).state, "closed");
  await quote.locator("[data-f=why]", { hasText: /\d\d:\d\d:\d\d: 5 failures in 1m$/ }).waitFor();
  await quote.locator("[data-f=left]", { hasText: /^probe in [123] s$/ }).waitFor();
  // The worst is first, and the title of the window says it, too.
  await page.locator("#cards > .card:first-child .name", { hasText: "shop::quote" }).waitFor();
  assert.equal(await page.title(), "1 open · shop");
  await page.locator("#said", { hasText: "shop::quote is open: 5 failures in 1m." }).waitFor({ state: "attached" });
  await picture(page, "outage-open");

  await isIn(page, "shop::quote", "Half-open");
  assert.equal((await program.state("shop::quote")).state, "half-open");
  await quote.locator("[data-f=left]", { hasText: "probing" }).waitFor();
  await picture(page, "outage-half-open");

  // The probe fails: the reason stays that of the first opening.
  await program.tell("fail", "shop::quote", 1);
  await isIn(page, "shop::quote", "Open");
  await quote.locator("[data-f=why]", { hasText: /5 failures in 1m\. Reopened once$/ }).waitFor();

  await isIn(page, "shop::quote", "Half-open");
  await program.tell("succeed", "shop::quote", 1);
  await isIn(page, "shop::quote", "Closed");
  assert.equal((await program.state("shop::quote")).state, "closed");
  assert.equal(await quote.locator("[data-f=failed]").textContent(), "6");
  assert.equal(await quote.locator("[data-f=succeeded]").textContent(), "41");

  // Its time line has each change, the latest first.
  await quote.getByRole("button").click();
  const changes = quote.locator(".past li b");
  await changes.nth(4).waitFor();
  assert.deepEqual(await changes.allTextContents(), ["Closed", "Half-open", "Open", "Half-open", "Open"]);
});

test("the sparkline has the calls of the last two minutes", async (t) => {
  const program = await start(t);
  await program.tell("make", "shop::quote", RULES);
  const page = await open(program);
  await isIn(page, "shop::quote", "Closed");
  await program.tell("succeed", "shop::quote", 30);
  await program.tell("fail", "shop::quote", 2);
  const spark = card(page, "shop::quote").locator(".spark");
  await page.waitForFunction((e) => /3\d succeeded|30 succeeded, 2 failed, 0 rejected/.test(e.getAttribute("aria-label")), await spark.elementHandle());
  assert.match(await spark.locator("path.ok").getAttribute("d"), /^M1 40V/);
  assert.match(await spark.locator("path.bad").getAttribute("d"), /^M1 40V/);
  assert.equal(await spark.locator("path.cut").getAttribute("d"), "");
});

test("a page that opens in the middle of an outage shows how it began", async (t) => {
  const program = await start(t);
  await program.tell("make", "shop::quote", { ...RULES, reset: "1s", max_reset: "1h" });
  await program.tell("fail", "shop::quote", 5);
  while ((await program.state("shop::quote")).state === "open");
  await program.tell("fail", "shop::quote", 1);
  const page = await open(program);
  await card(page, "shop::quote").locator("[data-f=why]", { hasText: /^Opened \d\d:\d\d:\d\d: 5 failures in 1m\. Reopened once$/ }).waitFor();
});

test("a circuit that is open as a whole is worse than a function with some open keys", async (t) => {
  const program = await start(t);
  await program.tell("page", "a.example", "fails");
  await program.tell("page", "b.example");
  await program.tell("make", "shop::quote", { ...RULES, reset: "1h" });
  await program.tell("fail", "shop::quote", 5);
  const page = await open(program);
  await card(page, "shop::page").locator("[data-f=why]", { hasText: "1 of 2 keys open" }).waitFor();
  assert.deepEqual((await page.locator("#cards .name").allTextContents()).slice(0, 2), ["shop::quote", "shop::page"]);
});

test("a keyed function is one card with a table of its keys", async (t) => {
  const program = await start(t);
  for (let key = 0; key < 60; key++) await program.tell("page", `host-${key}.example`, ...(key < 12 ? ["fails"] : []));
  const page = await open(program);
  const keyed = card(page, "shop::page");
  await keyed.locator("[data-f=why]", { hasText: "12 of 60 keys open" }).waitFor();
  await keyed.getByRole("button").click();
  const rows = keyed.locator("tbody tr");
  assert.equal(await rows.count(), 50);
  assert.equal(await keyed.locator("tbody tr[data-is=open]").count(), 12);
  assert.match(await rows.first().textContent(), /host-\d+\.exampleOpen, probe in \d+ min \d\d s/);
  await keyed.locator(".source", { hasText: /fixture\.rs:\d+/ }).waitFor();
  await picture(page, "keyed");
  await program.tell("page", "another.example", "fails");
  await keyed.locator("[data-f=why]", { hasText: "13 of 61 keys open" }).waitFor();
});

test("breakers that share a name are one card", async (t) => {
  const program = await start(t);
  for (let instance = 0; instance < 3; instance++) await program.tell("make", "shop::pool", { ...RULES, reset: "1h" });
  const page = await open(program);
  const pool = card(page, "shop::pool");
  await pool.locator("[data-f=why]", { hasText: "0 of 3 breakers open" }).waitFor();
  await pool.getByRole("button").click();
  assert.equal(await pool.locator("tbody tr").count(), 3);
  await program.tell("fail", "shop::pool", 5);
  await pool.locator("[data-f=why]", { hasText: "3 of 3 breakers open" }).waitFor();
  await pool.locator("tbody tr[data-is=open]").nth(2).waitFor();
  await pool.locator(".past li").nth(2).waitFor();
  assert.equal(await pool.locator("tbody tr").count(), 3);
});

test("a function is idle until its first call", async (t) => {
  const program = await start(t);
  const page = await open(program);
  await isIn(page, "shop::refund", "Idle");
  await picture(page, "idle");
  await program.tell("refund");
  await isIn(page, "shop::refund", "Closed");
});

test("rules that a file has changed are marked", async (t) => {
  const program = await start(t);
  await program.tell("make", "shop::quote", RULES);
  await program.tell("rules", { circuits: { "shop::quote": { max_failures: 7, hold: "closed" } } });
  const page = await open(program);
  const quote = card(page, "shop::quote");
  await isIn(page, "shop::quote", "Held closed");
  await quote.locator("[data-f=held]", { hasText: "Held by the file of rules" }).waitFor();
  await quote.getByRole("button").click();
  await quote.locator(".rules dd", { hasText: "7 changed by the file, was 5" }).waitFor();
});

test("states are filtered, names searched, and the order chosen", async (t) => {
  const program = await start(t);
  for (const name of ["b", "a", "c"]) await program.tell("make", `shop::${name}`, { ...RULES, reset: "1h" });
  await program.tell("fail", "shop::c", 5);
  const page = await open(program);
  const names = async (...expected) => {
    await page.waitForFunction((all) => [...document.querySelectorAll("#cards .name")].map((e) => e.textContent).join() === all, expected.join());
  };
  await names("shop::c", "shop::a", "shop::b", "shop::page", "shop::refund");
  const filter = (word) => page.locator("#filters").getByRole("button", { name: word });
  await filter("Open 1").first().click();
  await names("shop::c");
  await filter("Closed 2").click();
  await names("shop::a", "shop::b");
  await filter("All 5").click();
  await page.getByLabel("Search by name").fill("SHOP::B");
  await names("shop::b");
  await page.getByLabel("Search by name").fill("nothing");
  await page.getByText("No circuit matches.").waitFor();
  await page.getByLabel("Search by name").fill("");
  await page.locator("#order").selectOption("name");
  await names("shop::a", "shop::b", "shop::c", "shop::page", "shop::refund");
});

test("a paused page stands still and says so", async (t) => {
  const program = await start(t);
  await program.tell("make", "shop::quote", { ...RULES, reset: "1h" });
  const page = await open(program);
  await isIn(page, "shop::quote", "Closed");
  const ended = page.waitForEvent("requestfailed");
  await page.getByRole("button", { name: "Pause" }).click();
  assert.match((await ended).url(), /api\/stream$/);
  await page.locator("#banner", { hasText: "Paused: this is how it was at" }).waitFor();
  assert.equal(await page.title(), "Paused · shop");
  await program.tell("fail", "shop::quote", 5);
  // It can still be looked at from all sides.
  await card(page, "shop::quote").getByRole("button").click();
  await card(page, "shop::quote").locator(".past", { hasText: "No change has been recorded." }).waitFor();
  assert.equal(await card(page, "shop::quote").locator("[data-f=state]").textContent(), "Closed");
  await page.getByRole("button", { name: "Pause" }).click();
  await isIn(page, "shop::quote", "Open");
  await page.locator("#live", { hasText: "Live" }).waitFor();
});
