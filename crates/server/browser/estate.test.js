// Pictures that grow where they are touched, tables beside them, and what people decide of incidents.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { closed, demo, gravest, opened, PATIENCE, test, unfolded } from "./support.js";

let watch;
let incident;
/** A page of one thing, and the first thing on it with something behind it. */
let start;
let link;
let address;

before(async () => {
  watch = await demo();
  await unfolded(watch);
  incident = await gravest(watch);
  await growing();
}, { timeout: PATIENCE * 2 });

after(async () => {
  await closed();
  await watch?.stop();
});

/** Where each thing of the picture stands, in its own units. */
const places = (page) => page.locator("#steps svg a[data-step]").evaluateAll((links) =>
  Object.fromEntries(links.map((link) => {
    const box = link.querySelector("rect");
    return [link.dataset.step ?? link.getAttribute("data-step"), `${box.getAttribute("x")} ${box.getAttribute("y")}`];
  })));

/** What was shown before stands where it stood. */
function stays(before, after) {
  for (const [thing, place] of Object.entries(before)) assert.equal(after[thing], place, thing);
}

const text = async (path) => (await fetch(new URL(path, watch.address))).text();
const things = (page) => [...page.matchAll(/data-step="(\w+)" href="([^"]+)"/g)].map((it) => ({ thing: it[1], path: it[2].replaceAll("&amp;", "&") }));

/** Looks for a thing that shows more when it is chosen, among those from where the ways are long. */
async function growing() {
  const { paths } = JSON.parse(await text("/api/v1/paths"));
  paths.sort((a, b) => b.steps.length - a.steps.length);
  for (const from of new Set(paths.map((path) => path.from))) {
    const path = `/estate?q=${encodeURIComponent(from)}`;
    const shown = things(await text(path));
    for (const one of shown) {
      if (things(await text(one.path)).length > shown.length) {
        start = new URL(path, watch.address).href;
        address = new URL(one.path, watch.address).href;
        link = one.thing;
        return;
      }
    }
  }
  throw new Error("nothing has anything behind it");
}

test("with scripts a picture grows in place and the address says so", { timeout: PATIENCE }, async () => {
  const { page, wrong, close } = await opened();
  await page.goto(start);
  const first = await places(page);
  await page.evaluate(() => { window.stayed = true; });
  const thing = page.locator(`#steps a[data-step="${link}"]`);
  await thing.scrollIntoViewIfNeeded();
  const seen = await thing.boundingBox();
  const scrolled = await page.evaluate(() => [scrollX, scrollY]);
  await thing.click();
  await page.waitForURL(address);
  const second = await places(page);
  stays(first, second);
  assert.ok(Object.keys(second).length > Object.keys(first).length);
  // No page was loaded, nothing moved on the screen, and the reader is where she was.
  assert.equal(await page.evaluate(() => window.stayed), true);
  assert.deepEqual(await page.evaluate(() => [scrollX, scrollY]), scrolled);
  const now = await thing.boundingBox();
  assert.ok(Math.abs(now.x - seen.x) < 2 && Math.abs(now.y - seen.y) < 2, JSON.stringify([seen, now]));
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("data-step")), link);
  // By the keyboard it is shut again; the way back opens it.
  await page.keyboard.press("Enter");
  await page.waitForURL(/open=-/);
  assert.deepEqual(await places(page), first);
  await page.goBack();
  await page.waitForURL(address);
  await page.waitForFunction((count) => document.querySelectorAll("#steps a[data-step]").length === count, Object.keys(second).length);
  stays(first, await places(page));
  // Whoever is sent the address sees the same.
  await page.goto(address);
  assert.deepEqual(await places(page), second);
  assert.deepEqual(wrong, []);
  await close();
});

test("without scripts a choice loads the same picture", { timeout: PATIENCE }, async () => {
  const { page, wrong, close } = await opened({ javaScriptEnabled: false });
  await page.goto(start);
  const first = things(await page.content());
  await page.locator(`#steps a[data-step="${link}"]`).click();
  await page.waitForURL(address);
  const grown = things(await page.content());
  assert.ok(grown.length > first.length);
  for (const { thing } of first) assert.ok(grown.some((it) => it.thing === thing));
  // Every picture says the same as a table.
  const pictures = await page.locator("main .draw").count();
  assert.equal(await page.locator("main summary", { hasText: "The same as a table" }).count(), pictures);
  await page.locator("#steps summary").click();
  assert.ok((await page.locator("#steps table tbody tr").count()) > 0);
  assert.deepEqual(wrong, []);
  await close();
});

test("the paths of an incident are a table too", { timeout: PATIENCE }, async () => {
  const { page, wrong, close } = await opened();
  await page.goto(`${watch.address}/incidents/${incident.id}`);
  await page.locator("#reach").getByRole("link", { name: "The same as a table" }).click();
  const table = page.locator("#reach .inlined table");
  await table.waitFor();
  assert.ok((await table.locator("tbody tr").count()) > 0);
  assert.equal(new URL(page.url()).pathname, `/incidents/${incident.id}`);
  assert.deepEqual(wrong, []);
  await close();
});

test("incidents are merged and parted by forms, and as before when that is undone", { timeout: PATIENCE }, async () => {
  const { page, wrong, close } = await opened({ javaScriptEnabled: false });
  const list = async () => (await (await fetch(`${watch.address}/api/v1/incidents?limit=1000`)).json()).items;
  const before = await list();
  await page.goto(`${watch.address}/incidents/${incident.id}`);
  await page.getByRole("link", { name: "Merge or split" }).click();
  await page.getByLabel("This is one with the incident").fill(before[1].id);
  await page.getByRole("button", { name: "Merge" }).click();
  await page.getByText("are one").waitFor();
  assert.equal((await list()).length, before.length - 1);
  await page.getByLabel("Not of this incident").selectOption({ index: 1 });
  await page.getByRole("button", { name: "Split" }).click();
  await page.locator("ul.notes").getByText("is not of").waitFor();
  for (let left = 2; left > 0; left -= 1) {
    await page.getByRole("button", { name: /Undo/ }).first().click();
    await page.waitForLoadState();
  }
  assert.equal(await page.getByRole("button", { name: /Undo/ }).count(), 0);
  assert.deepEqual(await list(), before);
  assert.deepEqual(wrong, []);
  await close();
});
