// Names of any bytes are text.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { card, close, isIn, open, picture, RULES, start } from "./support.mjs";

after(close);

const NAMES = ["<img src=x onerror=window.attacked=1>", "a/b?c#d%2e[e]&f=\"g\"'h'", "::", "x\ny", "\u202egnp.exe 漢字 🙂", `long::${"a".repeat(300)}`, "</template><script>window.attacked=1</script>", "constructor", "__proto__"];

test("a name with markup is text, and each card opens to its own details", async (t) => {
  const program = await start(t);
  for (const name of NAMES) await program.tell("make", name, { ...RULES, reset: "1h" });
  const page = await open(program, { width: 360 });
  for (const name of NAMES) {
    const named = page.locator("#cards > .card").and(page.locator(`:nth-match(#cards > .card, ${1 + (await indexOf(page, name))})`));
    await named.locator("h2 button").click();
    await named.locator(".past", { hasText: "No change has been recorded." }).waitFor();
    await named.locator("h2 button").click();
  }
  await program.tell("fail", NAMES[0], 5);
  await isIn(page, NAMES[0], "Open");
  await page.locator("#said", { hasText: NAMES[0] }).waitFor({ state: "attached" });
  await picture(page, "names");
  assert.equal(await page.evaluate(() => window.attacked), undefined);
  assert.equal(await page.locator("img, script:not([src])").count(), 0);
});

async function indexOf(page, name) {
  return page.waitForFunction((name) => {
    const index = [...document.querySelectorAll("#cards .name")].findIndex((e) => e.textContent === name);
    return index < 0 ? false : { index };
  }, name).then(async (found) => (await found.jsonValue()).index);
}
