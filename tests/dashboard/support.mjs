// The program with the dashboard, the browser, and a page that is watched.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../../", import.meta.url));
const PROGRAM = process.env.DASHBOARD_FIXTURE ?? `${root}target/debug/dashboard-fixture`;
const BROWSER = process.env.DASHBOARD_BROWSER ?? "/usr/bin/chromium-headless-shell";
const PICTURES = `${root}target/dashboard/`;

/** The rules of most breakers here: they open with five failures, and probe after three seconds. */
export const RULES = { max_failures: 5, window: "1m", reset: "3s" };

/** Starts the program. `tell` resolves once a command is carried out. */
export async function start(t, ...flags) {
  const child = spawn(PROGRAM, flags, { stdio: ["pipe", "pipe", "inherit"] });
  const pages = [];
  // The pages first, which would miss the program.
  t.after(async () => {
    child.kill("SIGCONT");
    try {
      for (const leave of pages) await leave();
    } finally {
      child.kill("SIGKILL");
    }
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => {
    const { value, done } = await lines.next();
    assert.ok(!done, "the program has ended");
    return value;
  };
  const url = await line();
  return {
    url,
    pages,
    async tell(...command) {
      child.stdin.write(`${JSON.stringify(command)}\n`);
      assert.equal(await line(), "done");
    },
    /** The program stands still, with its connections open. */
    stop: () => child.kill("SIGSTOP"),
    go: () => child.kill("SIGCONT"),
    kill: () => child.kill("SIGKILL"),
    async state(name) {
      const response = await fetch(`${url}api/breakers/${encodeURIComponent(name)}`);
      assert.equal(response.status, 200);
      return (await response.json()).entry;
    },
  };
}

let browser;

/**
 * Opens the page of a program. The test fails if the page asks another origin for anything, or
 * writes an error into the console that is not `expected`.
 */
export async function open({ url, pages }, { width = 1280, height = 900, scheme = "light", expected = [], prepare } = {}) {
  browser ??= await chromium.launch({ executablePath: BROWSER, args: ["--no-sandbox"] });
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const problems = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error.stack)));
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== "data:" && origin !== new URL(url).origin) problems.push(`a request to ${origin}`);
  });
  pages.push(async () => {
    await context.close();
    const unexpected = problems.filter((problem) => !expected.some((pattern) => pattern.test(problem)));
    assert.deepEqual(unexpected, [], "errors of the page");
  });
  await prepare?.(page);
  await page.goto(url);
  return page;
}

export async function close() {
  await browser?.close();
}

/** The card of a circuit. */
export const card = (page, name) => page.locator("#cards > .card").filter({ has: page.locator(".name", { hasText: new RegExp(`^${RegExp.escape?.(name) ?? name.replace(/[^\w]/g, "\\$&")}$`) }) });

/** Waits until a card is in a state, by its words. */
export const isIn = (page, name, words) => card(page, name).locator("[data-f=state]", { hasText: new RegExp(`^${words}$`) }).waitFor();

/** Keeps a picture of the page among the artefacts of the run. */
export async function picture(page, name, options) {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: `${PICTURES}${name}.png`, ...options });
}
