// The page below a path of another server, which is passed on with a slash at its end or without.

import assert from "node:assert/strict";
import http from "node:http";
import { after, test } from "node:test";
import { card, close, isIn, open, RULES, start } from "./support.mjs";

after(close);

/** Serves a program below `/circuits`, as a router does: the program does not see this part. */
async function mount(t, program) {
  const { port } = new URL(program.url);
  const server = http.createServer((request, response) => {
    const path = request.url.replace(/^\/circuits(?=[/?]|$)/, "");
    if (path === request.url) return response.writeHead(404).end();
    const { host, ...headers } = request.headers;
    const onward = { port, method: request.method, path: path.startsWith("/") ? path : `/${path}`, headers };
    const passed = http.request(onward, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    passed.on("error", () => response.destroy());
    response.on("close", () => passed.destroy());
    request.pipe(passed);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

for (const path of ["/circuits", "/circuits/"]) {
  test(`the page works at ${path}`, async (t) => {
    const program = await start(t, "controls");
    await program.tell("make", "shop::quote", RULES);
    const page = await open({ url: (await mount(t, program)) + path, pages: program.pages });
    await isIn(page, "shop::quote", "Closed");
    assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector("header")).position), "sticky");
    await card(page, "shop::quote").getByRole("button").first().click();
    await card(page, "shop::quote").getByRole("button", { name: "Trip" }).click();
    await page.getByLabel("Reason").fill("a drill");
    await page.locator("#act-do").click();
    await isIn(page, "shop::quote", "Open");
  });
}
