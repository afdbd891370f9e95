// The page on a phone and on a screen, in light and in dark.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { card, close, isIn, open, picture, RULES, start } from "./support.mjs";

after(close);

/** A program with a circuit in each state. */
async function everyState(t) {
  const program = await start(t, "controls");
  const long = { ...RULES, reset: "1h" };
  for (const name of ["payments::charge", "search", "catalog::lookup", "mail::send", "stock::reserve", "with_a_long_name::in_a_module::and_a_function_that_says_everything_of_itself"]) await program.tell("make", `shop::${name}`, long);
  await program.tell("make", "shop::rates", { window: 100, failure_rate: 0.5, slow_call: "1s", slow_rate: 0.8, min_calls: 10, reset: "1h" });
  await program.tell("make", "shop::ping", { max_failures: 1, reset: "10ms" });
  await program.tell("succeed", "shop::rates", 30);
  await program.tell("fail", "shop::rates", 14);
  await program.tell("fail", "shop::catalog::lookup", 3);
  await program.tell("fail", "shop::payments::charge", 5);
  await program.tell("fail", "shop::payments::charge", 5);
  await program.tell("fail", "shop::ping", 1);
  await program.tell("rules", { circuits: { "shop::mail::send": { hold: "closed" }, "shop::rates": { reset: "2h" } } });
  for (let key = 0; key < 60; key++) await program.tell("page", `host-${key}.example`, ...(key < 12 ? ["fails"] : []));
  const reason = JSON.stringify({ reason: "maintenance of the warehouse", seconds: 900 });
  const headers = { "Content-Type": "application/json", "X-Circuit-Dashboard": "1", "Sec-Fetch-Site": "same-origin" };
  const response = await fetch(`${program.url}api/breakers/shop%3A%3Astock%3A%3Areserve/force-open`, { method: "POST", headers, body: reason });
  assert.equal(response.status, 200);
  return program;
}

/**
 * Returns each text whose contrast to its ground is less than 4.5, and each control that is too
 * small for a finger.
 */
function faults() {
  const numbers = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, under) => Object.fromEntries(["r", "g", "b"].map((c) => [c, top[c] * top.a + under[c] * (1 - top.a)]).concat([["a", 1]]));
  const ground = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(numbers(getComputedStyle(e).backgroundColor));
    return layers.reduceRight((under, top) => over(top, under), { r: 255, g: 255, b: 255, a: 1 });
  };
  const light = ({ r, g, b }) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const found = [];
  for (const e of document.querySelectorAll("body *")) {
    if (!e.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true }) || e.closest(".sr, .skip")) continue;
    if ([...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) {
      const under = ground(e);
      const [a, b] = [light(over(numbers(getComputedStyle(e).color), under)), light(under)].sort((x, y) => y - x);
      const contrast = (a + 0.05) / (b + 0.05);
      if (contrast < 4.5) found.push(`${e.textContent.trim().slice(0, 40)}: contrast ${contrast.toFixed(2)}`);
    }
    if (e.matches("button, select, input:not([type=radio])") && e.getBoundingClientRect().height < 28) found.push(`${e.textContent || e.id}: ${e.getBoundingClientRect().height} px high`);
  }
  return found;
}

for (const width of [360, 1280]) {
  for (const scheme of ["light", "dark"]) {
    test(`all states can be read at ${width} pixels in ${scheme}`, async (t) => {
      const program = await everyState(t);
      const page = await open(program, { width, height: width === 360 ? 740 : 900, scheme });
      await isIn(page, "shop::ping", "Half-open");
      for (const [name, words] of [["shop::payments::charge", "Open"], ["shop::stock::reserve", "Held open"], ["shop::mail::send", "Held closed"], ["shop::search", "Closed"], ["shop::page", "Open"]]) await isIn(page, name, words);
      await card(page, "shop::payments::charge").locator(".peak:not(:empty)").waitFor();
      assert.deepEqual(await page.evaluate(faults), []);
      await picture(page, `states-${width}-${scheme}`);

      await card(page, "shop::page").getByRole("button").first().click();
      await card(page, "shop::page").locator(".past li").first().waitFor();
      assert.deepEqual(await page.evaluate(faults), []);
      await picture(page, `keys-${width}-${scheme}`);
      await card(page, "shop::page").getByRole("button").first().click();

      await card(page, "shop::rates").getByRole("button").click();
      await card(page, "shop::rates").getByText("changed by the file").waitFor();
      await card(page, "shop::rates").scrollIntoViewIfNeeded();
      assert.deepEqual(await page.evaluate(faults), []);
      await picture(page, `details-${width}-${scheme}`);
      await card(page, "shop::rates").getByRole("button", { name: "Force open" }).click();
      assert.deepEqual(await page.evaluate(faults), []);
      await picture(page, `order-${width}-${scheme}`);
      await page.keyboard.press("Escape");

      // Nothing is wider than the page.
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
    });
  }
}

test("numbers that grow move nothing", async (t) => {
  const program = await everyState(t);
  const page = await open(program, { height: 3000 });
  await card(page, "shop::search").locator(".peak:not(:empty)").waitFor();
  const boxes = () => page.evaluate(() => JSON.stringify([...document.querySelectorAll(".card, .card [data-f]:not([hidden]), .bars, .spark")].filter((e) => !e.matches("[data-f=left], [data-f=rate], [data-f=peak]")).map((e) => { const { top, left } = e.getBoundingClientRect(); return [top, left]; })));
  const before = await boxes();
  await program.tell("succeed", "shop::search", 1234);
  await card(page, "shop::search").locator("[data-f=succeeded]", { hasText: "1,234" }).waitFor();
  assert.equal(await boxes(), before);
});
