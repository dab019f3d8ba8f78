// Every page as people have it: wide and narrow, light and dark.

import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { closed, demo, faults, gravest, opened, PATIENCE, test, unfolded } from "./support.js";

/** Bytes of a page before the evidence that is a click away. */
const LARGEST = 100_000;

let watch;
let pages;

before(async () => {
  watch = await demo();
  await unfolded(watch);
  const { id } = await gravest(watch);
  const incident = await (await fetch(`${watch.address}/api/v1/incidents/${id}`)).json();
  const [entry] = incident.timeline;
  pages = {
    Today: "/",
    "Today, searched": "/?q=kiran&severity=medium&state=all",
    Incident: `/incidents/${id}`,
    Finding: `/incidents/${id}/findings/${incident.findings[0]}`,
    Findings: `/incidents/${id}/findings`,
    Records: `/incidents/${id}/records`,
    Record: `/records?file=${encodeURIComponent(entry.file)}&index=${entry.index}`,
    Plan: `/incidents/${id}/plan`,
    Paths: `/incidents/${id}/paths`,
    Decisions: `/incidents/${id}/decisions`,
    Estate: "/estate",
    "Estate, one": `/estate?q=${encodeURIComponent(incident.paths[0].to)}`,
    "Estate, step by step": `/estate?q=${encodeURIComponent(incident.paths[0].from)}`,
    Keys: "/keys",
    Doors: "/doors",
    Wallets: "/wallets",
    Posture: "/posture",
    "Posture, further": "/posture?failures=2",
    Coverage: "/coverage",
    Hunt: "/hunt",
    "Hunt, answered": "/hunt?fields=eventName%3DGetSecretValue",
    "Hunt, wrong": "/hunt?rule=title%3A%20x",
  };
}, { timeout: PATIENCE * 2 });

after(async () => {
  await closed();
  await watch?.stop();
});

test("each is small, has one heading of the first level, and a title of its own", {}, async () => {
  const titles = new Set();
  for (const [name, path] of Object.entries(pages)) {
    const answer = await fetch(watch.address + path);
    assert.equal(answer.status, 200, name);
    const text = await answer.text();
    const bytes = Buffer.byteLength(text);
    console.log(`${String(bytes).padStart(7)} bytes  ${name}`);
    assert.ok(bytes < LARGEST, `${name} has ${bytes} bytes`);
    titles.add(/<title>(.*?)<\/title>/.exec(text)[1]);
  }
  assert.ok(titles.size >= Object.keys(pages).length - 4, [...titles].join("\n"));
});

describe("looked at", () => {
  for (const width of [1280, 390]) {
    for (const colorScheme of ["light", "dark"]) {
      test(`${width} pixels wide, ${colorScheme}`, { timeout: PATIENCE }, async () => {
        const options = { viewport: { width, height: 900 }, colorScheme, bypassCSP: true };
        const { page, wrong, close } = await opened(options);
        const found = [];
        for (const [name, path] of Object.entries(pages)) {
          await page.goto(watch.address + path, { waitUntil: "load" });
          const across = await page.evaluate(() => document.documentElement.scrollWidth);
          if (across > width) found.push(`${name}: ${across} pixels wide`);
          found.push(...(await faults(page)).map((fault) => `${name}: ${fault}`));
          found.push(...wrong.splice(0).map((words) => `${name}: ${words}`));
        }
        await close();
        assert.deepEqual(found, []);
      });
    }
  }
});
