// The fleet that the breakers are shared with.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { card, close, isIn, open, picture, RULES, start } from "./support.mjs";

after(close);

const MARKUP = "<img src=x onerror=window.attacked=1>";

test("a page without a fleet says nothing of one", async (t) => {
  const program = await start(t);
  await program.tell("make", "shop::quote", RULES);
  const page = await open(program);
  await isIn(page, "shop::quote", "Closed");
  assert.equal(await page.locator("#fleet").isVisible(), false);
  assert.equal(await card(page, "shop::quote").locator("[data-f=fleet]").isVisible(), false);
});

test("members, votes, the member that probes, and for how long the fleet is degraded", async (t) => {
  const program = await start(t, "fleet");
  for (const name of ["shop::quote", "shop::pay", MARKUP]) await program.tell("make", name, { ...RULES, reset: "1h" });
  await program.tell("page", "a.example", "fails");
  const page = await open(program, { width: 360 });
  const fleet = page.locator("#fleet");
  const shared = (name) => card(page, name).locator("[data-f=fleet]");
  await fleet.filter({ hasText: /^Fleet: not running$/ }).waitFor();

  await program.tell("fleet", 3, null, {
    "shop::quote": { votes: [2, 3] },
    [MARKUP]: { votes: [2, 2], prober: MARKUP },
    "shop::page[a.example]": { prober: "pod-7" },
  });
  await fleet.filter({ hasText: /^Fleet: 3 members$/ }).waitFor();
  await page.locator("#said", { hasText: "Fleet: 3 members." }).waitFor({ state: "attached" });
  await shared("shop::quote").filter({ hasText: /^2 of 3 votes to open$/ }).waitFor();
  const probed = shared(MARKUP);
  await probed.filter({ hasText: "2 of 2 votes to open, probed by <img" }).waitFor();
  assert.equal(await shared("shop::pay").isVisible(), false);
  // A key has its own.
  await card(page, "shop::page").locator("h2 button").click();
  await card(page, "shop::page").locator("tbody tr", { hasText: /, probed by pod-7/ }).waitFor();
  await picture(page, "fleet");

  await program.tell("fleet", 3, 12, {});
  await fleet.filter({ hasText: /^Fleet: degraded for \d\d s$/ }).waitFor();
  await page.locator("#said", { hasText: /^Fleet: degraded for \d\d s\.$/ }).waitFor({ state: "attached" });
  await shared("shop::quote").waitFor({ state: "hidden" });
  const time = async () => Number(/\d+/.exec(await fleet.textContent())[0]);
  const first = await time();
  assert.ok(first >= 12);
  while ((await time()) === first) await page.evaluate(() => new Promise(requestAnimationFrame));
  await picture(page, "fleet-degraded");

  await program.tell("fleet", 1, null, {});
  await fleet.filter({ hasText: /^Fleet: 1 member$/ }).waitFor();
  assert.equal(await page.evaluate(() => window.attacked), undefined);
  assert.equal(await page.locator("img").count(), 0);
});
