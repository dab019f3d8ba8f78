// A watch over a simulated organisation, and a browser that looks at it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { test as nodeTest } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { chromium } from "playwright-core";

const { PORTREEVE, CHROMIUM } = process.env;
if (!PORTREEVE || !CHROMIUM) {
  throw new Error("PORTREEVE names the program, CHROMIUM the browser: `cargo xtask browser` sets both");
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** How long something may take that is waited for, in milliseconds: the program is not optimised here. */
export const PATIENCE = 240_000;

/** Starts the demo, at so many hours of the simulation a second; all of it at once where nothing is said. */
export async function demo(speed = 1_000_000) {
  const child = spawn(PORTREEVE, ["serve", "--demo", "--speed", String(speed), "--listen", "127.0.0.1:0"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said = [];
  const lines = createInterface({ input: child.stderr });
  const address = await new Promise((found, failed) => {
    lines.on("line", (line) => {
      said.push(line);
      const match = /http:\/\/[^/]+/.exec(line);
      if (match) found(match[0]);
    });
    child.on("exit", (code) => failed(new Error(`the watch ended with ${code}: ${said.join("\n")}`)));
  });
  return {
    address,
    figure: async (name) => {
      const text = await (await fetch(`${address}/metrics`)).text();
      return Number(new RegExp(`^portreeve_${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
    },
    stop: async () => {
      child.removeAllListeners("exit");
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

/** Waits until the intrusion has unfolded: nothing new has come for some seconds. */
export async function unfolded(watch) {
  let before = -1;
  for (const until = Date.now() + PATIENCE; Date.now() < until; await pause(3_000)) {
    const records = await watch.figure("records_total");
    if (records === before && (await watch.figure("caught_up")) === 1 && (await watch.figure("incidents")) > 1) return;
    before = records;
  }
  throw new Error("the demo did not come to its end");
}

/** The gravest incident, as the API tells it. */
export async function gravest(watch) {
  const answer = await fetch(`${watch.address}/api/v1/incidents?limit=1`);
  return (await answer.json()).items[0];
}

/** The browser of the file of tests: begun with its first page. */
let browser;

/** A page that remembers what went wrong on it. */
export async function opened(options = {}) {
  if (!browser?.isConnected()) {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--font-render-hinting=none"] });
  }
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE / 2);
  page.setDefaultNavigationTimeout(PATIENCE / 2);
  const wrong = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) wrong.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => wrong.push(`error: ${error}`));
  page.on("response", (response) => {
    if (response.status() >= 400) wrong.push(`status ${response.status()}: ${response.url()}`);
  });
  return { page, wrong, close: () => context.close() };
}

/** Ends the browser. */
export async function closed() {
  await browser?.close();
}

/**
 * A test of pages. Chromium has been seen to end by a fault of libfontconfig, which two of its threads ask at once:
 * where the browser itself is gone the test begins once more in a new one. A page that ends it each time fails.
 */
export function test(name, options, body) {
  return nodeTest(name, options, async () => {
    try {
      await body();
    } catch (error) {
      if (!browser || browser.isConnected()) throw error;
      console.log(`the browser ended, and "${name}" begins once more: ${error.message.split("\n", 1)}`);
      await body();
    }
  });
}

/** What axe finds that is serious or critical. Its context does without our content policy, which keeps axe out. */
export async function faults(page) {
  await page.evaluate(AXE);
  const result = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return result.violations
    .filter((it) => ["serious", "critical"].includes(it.impact))
    .map((it) => `${it.id}: ${it.help}; ${it.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
}
