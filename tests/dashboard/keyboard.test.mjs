// The page without a pointer, and as a screen reader has it.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { card, close, isIn, open, RULES, start } from "./support.mjs";

after(close);

const focused = (page) => page.evaluate(() => document.activeElement.innerText || document.activeElement.id);

test("everything is done with the keyboard alone", async (t) => {
  const program = await start(t, "controls");
  for (const name of ["a", "b", "c"]) await program.tell("make", `shop::${name}`, { ...RULES, reset: "1h" });
  const page = await open(program);
  await isIn(page, "shop::c", "Closed");

  const stops = [];
  for (let stop = 0; stop < 11; stop++) {
    await page.keyboard.press("Tab");
    stops.push(await focused(page));
  }
  assert.deepEqual(stops, ["Skip to the circuits", "Pause", "All 5", "Open 0", "Half-open 0", "Held 0", "Closed 3", "Idle 2", "search", stops[9], "shop::a"]);
  assert.ok(stops[9].startsWith("Worst first"));

  // The element in focus is seen to be so.
  assert.equal(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "solid");

  // A card opens, and its first order is the next stop.
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.ariaExpanded), "true");
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "Force open");
  await page.keyboard.press("Enter");
  assert.equal(await focused(page), "act-reason");
  await page.keyboard.press("Escape");
  assert.equal(await focused(page), "Force open");
  await page.keyboard.press("Enter");
  await page.keyboard.type("a drill");
  await page.keyboard.press("Enter");
  await isIn(page, "shop::a", "Held open");
  assert.equal((await program.state("shop::a")).order.reason, "a drill");
});

test("a card that moves keeps the focus", async (t) => {
  const program = await start(t);
  for (const name of ["a", "b", "c"]) await program.tell("make", `shop::${name}`, { ...RULES, reset: "1h" });
  const page = await open(program);
  await isIn(page, "shop::c", "Closed");
  await card(page, "shop::c").getByRole("button").focus();
  await program.tell("fail", "shop::c", 5);
  await page.locator("#cards > .card:first-child .name", { hasText: "shop::c" }).waitFor();
  assert.equal(await focused(page), "shop::c");
  await program.tell("fail", "shop::b", 5);
  await page.locator("#cards > .card:first-child .name", { hasText: "shop::b" }).waitFor();
  assert.equal(await focused(page), "shop::c");
});

test("a screen reader hears changes, and finds names, states and values", async (t) => {
  const program = await start(t);
  await program.tell("make", "shop::quote", { ...RULES, reset: "1h" });
  await program.tell("make", "shop::search", { ...RULES, reset: "1h" });
  const page = await open(program);
  await isIn(page, "shop::quote", "Closed");
  await program.tell("fail", "shop::quote", 5);
  await isIn(page, "shop::quote", "Open");
  const tree = await page.locator("body").ariaSnapshot();
  for (const part of ["heading \"shop\"", "group \"Filter by state\"", "button \"Open 1\"", "searchbox \"Search by name\"", "list \"Circuits\"", "heading \"shop::quote\"", "strong: Open", "img \"The last two minutes:"]) {
    assert.ok(tree.includes(part), `${part} is in\n${tree}`);
  }
  const said = page.locator("#said");
  assert.equal(await said.getAttribute("aria-live"), "polite");
  await page.waitForFunction(() => document.getElementById("said").textContent === "shop::quote is open: 5 failures in 1m.");
});
