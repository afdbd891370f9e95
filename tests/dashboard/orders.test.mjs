// Orders: the right to give them, and their effect.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { card, close, isIn, open, picture, RULES, start } from "./support.mjs";

after(close);

async function give(page, name, order, reason, seconds) {
  await card(page, name).getByRole("button", { name: order, exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Give an order" });
  assert.equal(await dialog.locator("#act-name").textContent(), name);
  await dialog.getByLabel("Reason").fill(reason);
  if (seconds) await dialog.getByLabel("Seconds").fill(String(seconds));
  await dialog.getByRole("button", { name: order }).click();
  return dialog;
}

test("an order holds a circuit until it ends", async (t) => {
  const program = await start(t, "controls");
  await program.tell("make", "shop::quote", RULES);
  const page = await open(program);
  await isIn(page, "shop::quote", "Closed");
  const quote = card(page, "shop::quote");
  await quote.getByRole("button").first().click();

  const dialog = await give(page, "shop::quote", "Force open", "maintenance <b>now</b>", 6);
  await dialog.waitFor({ state: "hidden" });
  await isIn(page, "shop::quote", "Held open");
  const { hold, order, state } = await program.state("shop::quote");
  assert.deepEqual([state, hold.to, order.actor, order.reason], ["open", "open", "alice", "maintenance <b>now</b>"]);
  await quote.locator("[data-f=held]", { hasText: /^Held by alice until \d\d:\d\d:\d\d: maintenance <b>now<\/b>$/ }).waitFor();
  await quote.locator("[data-f=left]", { hasText: /^[456] s left$/ }).waitFor();
  await picture(page, "held");

  // It ends by itself, which is counted down.
  await quote.locator("[data-f=left]", { hasText: /^[123] s left$/ }).waitFor();
  await isIn(page, "shop::quote", "Closed");
  assert.equal((await program.state("shop::quote")).hold, null);
});

test("circuits are tripped, reset and held closed", async (t) => {
  const program = await start(t, "controls");
  await program.tell("make", "shop::quote", { ...RULES, reset: "1h" });
  const page = await open(program);
  await isIn(page, "shop::quote", "Closed");
  await card(page, "shop::quote").getByRole("button").first().click();
  await (await give(page, "shop::quote", "Trip", "a drill")).waitFor({ state: "hidden" });
  await isIn(page, "shop::quote", "Open");
  await (await give(page, "shop::quote", "Reset", "the end of the drill")).waitFor({ state: "hidden" });
  await isIn(page, "shop::quote", "Closed");
  await (await give(page, "shop::quote", "Force closed", "it must answer")).waitFor({ state: "hidden" });
  await isIn(page, "shop::quote", "Held closed");
  await card(page, "shop::quote").locator("[data-f=left]", { hasText: /^14 min \d\d s left$/ }).waitFor();
});

test("a refused order says why, and nothing has happened", async (t) => {
  const program = await start(t, "controls");
  await program.tell("make", "shop::quote", RULES);
  const page = await open(program, { expected: [/status of 403/] });
  await isIn(page, "shop::quote", "Closed");
  await card(page, "shop::quote").getByRole("button").first().click();
  const dialog = await give(page, "shop::quote", "Trip", "denied");
  await dialog.getByRole("alert").filter({ hasText: "the tests may not do this" }).waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  assert.equal((await program.state("shop::quote")).opened, 0);
});

test("a key of a function gets an order of its own", async (t) => {
  const program = await start(t, "controls");
  await program.tell("page", "a.example");
  await program.tell("page", "b.example");
  const page = await open(program);
  await isIn(page, "shop::page", "Closed");
  await card(page, "shop::page").getByRole("button").first().click();
  await card(page, "shop::page").locator("tr", { hasText: "b.example" }).getByRole("button").click();
  const dialog = page.getByRole("dialog", { name: "Give an order" });
  assert.equal(await dialog.locator("#act-name").textContent(), "shop::page[b.example]");
  await dialog.getByLabel("Reason").fill("it lies");
  await dialog.getByRole("button", { name: "Force open" }).click();
  await card(page, "shop::page").locator("tr[data-is=held]", { hasText: "b.example" }).waitFor();
  await card(page, "shop::page").locator("[data-f=why]", { hasText: "1 of 2 keys open, 1 held" }).waitFor();
});

test("a page that may not act offers no orders", async (t) => {
  const program = await start(t);
  await program.tell("make", "shop::quote", RULES);
  const page = await open(program);
  await isIn(page, "shop::quote", "Closed");
  await card(page, "shop::quote").getByRole("button").click();
  await card(page, "shop::quote").locator(".rules dt", { hasText: "max_failures" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Force open" }).count(), 0);
});

test("a token is asked for, and kept in memory alone", async (t) => {
  const program = await start(t, "token");
  await program.tell("make", "shop::quote", RULES);
  const page = await open(program, { expected: [/status of 401/] });
  const dialog = page.getByRole("dialog", { name: "Token" });
  // A header cannot carry all that can be typed.
  await dialog.getByLabel("Bearer token").fill("wrong \u2026");
  await dialog.getByRole("button").click();
  await dialog.getByText("This token was refused.").waitFor();
  await picture(page, "token");
  await dialog.getByLabel("Bearer token").fill("let-me-in");
  await dialog.getByRole("button").click();
  await isIn(page, "shop::quote", "Closed");
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, document.documentElement.outerHTML]));
  assert.ok(!kept.includes("let-me-in"));
  await page.reload();
  await dialog.waitFor();
});
