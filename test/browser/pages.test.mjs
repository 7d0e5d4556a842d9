// Every page that can be reached from the home page, once as each kind of page: axe
// finds nothing in light and dark, nothing is wider than a phone of 360 px, and
// nothing fails behind it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axe, crawl, openPage, overflow, shoot, signIn, startBrowser, startDemo } from "./entente.mjs";

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
  await page.goto(demo.address + "/sign-in");
  const pages = new Map([["/sign-in", demo.address + "/sign-in"]]);
  assert.deepEqual(await axe(page), [], "sign-in");
  await shoot(page, "sign-in");
  await signIn(page, demo, demo.people[0]);
  for (const [kind, url] of await crawl(page, page.url())) pages.set(kind, url);
  assert.ok(pages.size > 10, `only ${pages.size} kinds of pages were found`);
  const organisation = [...pages.values()].map((u) => new URL(u)).find((u) => u.pathname.startsWith("/o/"));
  pages.set("/design", organisation.origin + organisation.pathname.split("/").slice(0, 3).join("/") + "/design");
  const faults = [];
  for (const [kind, url] of pages) {
    const name = kind.replaceAll("/", "_").replaceAll("*", "x").replaceAll("?", "-");
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto(url);
    for (const v of await axe(page)) faults.push(`${kind}: ${v}`);
    await shoot(page, name);
    // In the dark only colours differ, and on a phone only the widths.
    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(url);
    for (const v of await axe(page, ["color-contrast", "link-in-text-block"])) faults.push(`${kind} (dark, phone): ${v}`);
    const wide = await overflow(page);
    if (wide > 0) faults.push(`${kind}: ${wide} px wider than a phone`);
    await shoot(page, `${name}.phone`);
  }
  assert.deepEqual([...faults, ...page.faults], []);
});
