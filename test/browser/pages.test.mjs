// Every page that can be reached from the home page, once as each kind of page: axe
// finds nothing in light and dark, nothing is wider than a phone of 360 px, and
// nothing fails behind it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axe, crawl, look, openPage, signIn, startBrowser, startDemo } from "./entente.mjs";

let demo, browser;
before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

test("every page is accessible, fits a phone and fails nowhere", { timeout: 900_000 }, async () => {
  const page = await openPage(browser);
  const faults = [];
  const visit = async (kind) => faults.push(...(await look(page, kind.replaceAll("/", "_").replaceAll("*", "x").replaceAll("?", "-"))));
  await page.goto(demo.address + "/sign-in");
  assert.deepEqual(await axe(page, undefined, true), [], "sign-in");
  await visit("/sign-in");
  await signIn(page, demo, demo.people[0]);
  const home = page.url();
  const pages = await crawl(page, home, visit);
  assert.ok(pages.size > 100, `only ${pages.size} kinds of pages were found`);
  await page.goto(home + "/design");
  await visit("/design");
  assert.deepEqual([...faults, ...page.faults], []);
});
