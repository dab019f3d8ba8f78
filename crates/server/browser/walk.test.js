// The walk of a responder: see the incident, open it, follow the path, read the evidence, get the plan.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before } from "node:test";
import { closed, demo, gravest, opened, PATIENCE, test, unfolded } from "./support.js";

let watch;
let incident;

before(async () => {
  watch = await demo();
  await unfolded(watch);
  incident = await gravest(watch);
}, { timeout: PATIENCE * 2 });

after(async () => {
  await closed();
  await watch?.stop();
});

/** Each step as a person takes it, by what can be read on the page. */
async function walk(page) {
  await page.goto(watch.address);
  await page.getByRole("link", { name: incident.headline }).first().click();
  await page.waitForURL(`**/incidents/${incident.id}`);
  await page.getByRole("heading", { name: "What happened" }).waitFor();
  const drawn = page.getByRole("img", { name: "Attack paths still open" });
  await drawn.scrollIntoViewIfNeeded();
  assert.ok((await drawn.boundingBox()).width > 300);
  // The path step by step, in words.
  const path = page.locator("#reach details").first();
  await path.locator("summary").click();
  assert.ok((await path.locator("ol.steps > li").count()) > 0);
}

test("with scripts, evidence opens in place and commands are copied", { timeout: PATIENCE }, async () => {
  const { page, wrong, close } = await opened({ permissions: ["clipboard-read", "clipboard-write"] });
  await walk(page);
  const finding = page.locator("#findings li").first();
  await finding.getByRole("link").first().click();
  const evidence = finding.locator(".inlined table");
  await evidence.waitFor();
  assert.equal(new URL(page.url()).pathname, `/incidents/${incident.id}`);
  await evidence.getByRole("link").first().click();
  const raw = finding.locator(".inlined .inlined pre");
  await raw.waitFor();
  const record = JSON.parse(await raw.textContent());
  assert.ok(record.eventID && record.eventName, "the record as CloudTrail wrote it");
  // Once more, and it is gone.
  await finding.getByRole("link").first().click();
  assert.equal(await finding.locator(".inlined").count(), 0);

  await page.getByRole("link", { name: "The whole plan" }).click();
  const command = page.locator(".response pre").first();
  await page.getByRole("button", { name: "Copy" }).first().click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, await command.textContent());
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Take it away" }).click(),
  ]);
  assert.match(download.suggestedFilename(), /plan/);
  assert.deepEqual(wrong, []);
  await close();
});

test("without scripts every step is a link", { timeout: PATIENCE }, async () => {
  const { page, wrong, close } = await opened({ javaScriptEnabled: false });
  await walk(page);
  await page.locator("#findings li").first().getByRole("link").first().click();
  await page.waitForURL("**/findings/*");
  await page.locator("main table").getByRole("link").first().click();
  await page.waitForURL("**/records?**");
  const record = JSON.parse(await page.locator("main pre").textContent());
  assert.ok(record.eventID);
  await page.goto(`${watch.address}/incidents/${incident.id}`);
  await page.getByRole("link", { name: "The whole plan" }).click();
  assert.ok((await page.locator(".response pre").count()) > 0);
  // A list is gone through part by part, and a question is asked by a form.
  await page.goto(`${watch.address}/posture`);
  await page.locator("#failures").getByRole("link", { name: "Further" }).click();
  assert.match(page.url(), /failures=2/);
  await page.goto(`${watch.address}/hunt`);
  await page.getByLabel("Fields, one a line").fill("eventName=GetCallerIdentity");
  await page.getByRole("button", { name: "Hunt" }).click();
  assert.ok((await page.locator("main table tbody tr").count()) > 0);
  assert.deepEqual(wrong, []);
  await close();
});

test("what people write is kept, and found again by whoever looks", { timeout: PATIENCE }, async () => {
  const { page, wrong, close } = await opened();
  await page.goto(`${watch.address}/incidents/${incident.id}`);
  await page.getByLabel("Owner").fill("mira");
  await page.getByLabel("State").selectOption("investigating");
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForLoadState();
  await page.getByLabel("Note").fill("Called the owner <script>alert(1)</script>");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByText("Called the owner <script>").waitFor();
  await page.goto(`${watch.address}/?state=investigating`);
  const row = page.locator("ol.incidents > li");
  assert.equal(await row.count(), 1);
  assert.match(await row.textContent(), /mira/);
  assert.deepEqual(wrong, []);
  await close();
});

test("the keyboard is enough", { timeout: PATIENCE }, async () => {
  const { page, wrong, close } = await opened();
  await page.goto(watch.address);
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/incidents/*");
  await page.keyboard.press("g");
  await page.keyboard.press("p");
  await page.waitForURL("**/posture");
  await page.keyboard.press("g");
  await page.keyboard.press("e");
  await page.waitForURL("**/estate");
  await page.keyboard.press("/");
  await page.keyboard.type("kiran");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/estate?q=kiran");
  assert.deepEqual(wrong, []);
  await close();
});

test("tables are sorted by their heads", { timeout: PATIENCE }, async () => {
  const { page, close } = await opened();
  await page.goto(`${watch.address}/posture`);
  const table = page.locator("#failures table");
  const column = () => table.locator("tbody tr > td:nth-child(2) b").allTextContents();
  const ranked = await column();
  await table.getByRole("button", { name: "What", exact: true }).click();
  const sorted = await column();
  assert.equal(sorted.length, ranked.length);
  assert.ok(sorted[0].localeCompare(sorted.at(-1), "en") <= 0);
  assert.equal(await table.locator("th[aria-sort=ascending]").count(), 1);
  await close();
});

test("an intrusion unfolds before one's eyes", { timeout: PATIENCE * 2 }, async () => {
  const slow = await demo(12);
  try {
    const { page, wrong, close } = await opened();
    await page.goto(slow.address);
    const clock = () => page.locator("#clock").textContent();
    const first = await clock();
    await page.evaluate(() => (globalThis.before = "still the same document"));
    await page.waitForFunction((first) => document.getElementById("clock")?.textContent !== first, first, { timeout: PATIENCE });
    assert.equal(await page.evaluate(() => globalThis.before), "still the same document");
    assert.deepEqual(wrong, []);
    await close();
  } finally {
    await slow.stop();
  }
});

test("pictures of it for those who have not seen it", { timeout: PATIENCE }, async () => {
  const folder = process.env.PICTURES;
  if (folder) mkdirSync(folder, { recursive: true });
  const taken = async (name, path, options, look = async () => {}) => {
    const { page, close } = await opened(options);
    await page.goto(watch.address + path);
    await look(page);
    const picture = await page.screenshot(folder ? { path: `${folder}/${name}.png` } : {});
    assert.ok(picture.length > 10_000, name);
    assert.ok(picture.length < 200_000, `${name} has ${picture.length} bytes`);
    await close();
  };
  const wide = { viewport: { width: 1280, height: 860 } };
  await taken("today", "/?state=all", wide);
  await taken("incident", `/incidents/${incident.id}`, { ...wide, colorScheme: "dark" }, async (page) => {
    await page.locator("#timeline").evaluate((part) => part.scrollIntoView({ block: "start" }));
  });
  await taken("path", `/incidents/${incident.id}`, wide, async (page) => {
    await page.locator("#reach").evaluate((part) => part.scrollIntoView({ block: "start" }));
  });
  await taken("coverage", "/coverage", { viewport: { width: 1280, height: 720 } });
});
