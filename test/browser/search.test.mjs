// Search over everything: as one types, from the keyboard alone, told to those who
// listen, and without any script.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axe, openPage, overflow, shoot, signIn, startBrowser, startDemo } from "./entente.mjs";

let demo, browser;
before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

test("Ctrl K finds things as one types, by keyboard alone", { timeout: 900_000 }, async () => {
  const page = await openPage(browser);
  await signIn(page, demo, demo.people[0]);
  await page.keyboard.press("Control+k");
  await page.waitForSelector("#find[open]");
  assert.equal(await page.evaluate(() => document.activeElement.id), "find-q");
  await page.keyboard.type("nordh", { delay: 20 });
  await page.waitForSelector("#find [role=option]");
  const first = await page.getAttribute("#find-q", "aria-activedescendant");
  assert.equal(await page.getAttribute("#" + first, "aria-selected"), "true");
  assert.match(await page.textContent("#find-said"), /result/);
  for (const look of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: look });
    await page.reload();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("nordh", { delay: 20 });
    await page.waitForSelector("#find [role=option]");
    assert.deepEqual(await axe(page), [], look);
    await shoot(page, "find." + look);
  }
  await page.emulateMedia({ colorScheme: "light" });
  assert.equal(await page.getAttribute("#find-q", "aria-activedescendant"), first);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await Promise.all([page.waitForURL("**/suppliers/nordhost"), page.keyboard.press("Enter")]);
  // Escape closes, and nothing found is said.
  await page.keyboard.press("Control+k");
  await page.keyboard.type("no such thing");
  await page.waitForFunction(() => /Nothing/.test(document.getElementById("find-said").textContent));
  await page.keyboard.press("Escape");
  await page.waitForSelector("#find:not([open])", { state: "attached" });
  // On a phone it fits.
  await page.setViewportSize({ width: 360, height: 740 });
  await page.keyboard.press("Control+k");
  await page.fill("#find-q", "procurement");
  await page.waitForSelector("#find [role=option]");
  assert.ok((await overflow(page)) <= 0);
  await shoot(page, "find.phone");
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("the search works without a script", { timeout: 900_000 }, async () => {
  const page = await openPage(browser, { javaScriptEnabled: false });
  await signIn(page, demo, demo.people[0]);
  await page.fill("#search-field", "log4j");
  await Promise.all([page.waitForURL("**/search?q=log4j"), page.press("#search-field", "Enter")]);
  assert.ok((await page.locator(".found a").count()) > 0);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("a question before a grave act is asked in a dialog", { timeout: 900_000 }, async () => {
  const page = await openPage(browser);
  await signIn(page, demo, demo.people[0]);
  const home = new URL(page.url());
  const edit = `${home.origin}${home.pathname.replace(/\/$/, "")}/systems/procurement-portal/edit`;
  await page.goto(edit);
  await page.click("a[data-ask]");
  await page.waitForSelector("dialog.dialog[open] form");
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), "Cancel");
  assert.deepEqual(await axe(page), []);
  await shoot(page, "ask");
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.querySelectorAll("dialog[open]").length === 0);
  assert.ok(await page.evaluate(() => document.activeElement.matches("a[data-ask]")));
  assert.equal(page.url(), edit);
  assert.match(await page.evaluate(() => document.cookie), /zone=/);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});
