// The page while it hears nothing.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { card, close, isIn, open, picture, RULES, start } from "./support.mjs";

after(close);

test("a silent stream greys the page out, and time stands still on it", async (t) => {
  const program = await start(t);
  await program.tell("make", "shop::quote", { ...RULES, reset: "1h" });
  await program.tell("fail", "shop::quote", 5);
  const page = await open(program, { expected: [/ERR_ABORTED|Failed to load/] });
  await isIn(page, "shop::quote", "Open");
  const left = card(page, "shop::quote").locator("[data-f=left]");
  assert.equal(await page.locator("#live").textContent(), "Live");

  program.stop();
  await page.locator("#live", { hasText: "Stale" }).waitFor();
  await page.locator("#banner", { hasText: /Stale: nothing was heard since \d\d:\d\d:\d\d\./ }).waitFor();
  assert.match(await page.locator("main").evaluate((e) => getComputedStyle(e).filter), /grayscale/);
  await picture(page, "stale");
  // The time that is left is not counted on until the page asks for another stream, seconds later.
  const before = await left.textContent();
  await page.locator("#banner", { hasText: "The stream was silent." }).waitFor();
  assert.equal(await left.textContent(), before);
  // Not even by a card that is drawn again, as it was out of sight.
  await page.getByRole("button", { name: "Idle" }).click();
  await card(page, "shop::quote").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "All" }).click();
  await isIn(page, "shop::quote", "Open");
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)))));
  assert.equal(await left.textContent(), before);

  program.go();
  await page.locator("#live", { hasText: "Live" }).waitFor();
  await page.locator("#banner").waitFor({ state: "hidden" });
  await program.tell("reset", "shop::quote");
  await isIn(page, "shop::quote", "Closed");
});

test("a program that is gone is never shown as fresh", async (t) => {
  const program = await start(t);
  await program.tell("make", "shop::quote", RULES);
  const page = await open(program, { expected: [/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET/] });
  await isIn(page, "shop::quote", "Closed");
  program.kill();
  await page.locator("#live", { hasText: "Stale" }).waitFor();
  await page.locator("body.stale").waitFor();
  assert.equal(await page.title(), "Stale · shop");
});
