// What takes something away for good is asked for first: in a dialog where scripts run,
// on a page where not.
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

/** Signs the owner in, makes an API token of that name, and opens the page of tokens. */
async function withToken(name, options) {
  const page = await openPage(browser, options);
  await signIn(page, demo, demo.people[0]);
  const tokens = page.url().split("/").slice(0, 5).join("/") + "/tokens";
  await page.goto(tokens);
  await page.fill("input[name=name]", name);
  await page.check("input[name=verb][value='chain.read']");
  await Promise.all([page.waitForNavigation(), page.click("#make button[type=submit]")]);
  await page.goto(tokens);
  return page;
}

test("a token is revoked by a dialog", { timeout: 900_000 }, async () => {
  const page = await withToken("Desk");
  const revoke = page.locator("a[data-ask]");
  await revoke.click();
  const dialog = page.locator("dialog[open]");
  await dialog.waitFor();
  assert.match(await dialog.textContent(), /Revoke Desk\?/);
  assert.equal(await page.evaluate(() => document.activeElement.hasAttribute("data-cancel")), true, "what takes nothing away has the focus");
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await axe(page), [], colorScheme);
    await shoot(page, "ask." + colorScheme);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  assert.ok((await overflow(page)) <= 0, "the dialog is wider than a phone");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement.hasAttribute("data-ask")), true, "the focus was lost");
  assert.equal(await revoke.count(), 1, "the token was revoked without being asked for");
  await page.keyboard.press("Enter");
  await dialog.waitFor();
  await Promise.all([page.waitForURL("**/tokens?done=revoked"), dialog.locator("button[type=submit]").click()]);
  assert.equal(await revoke.count(), 0);
  assert.deepEqual(page.faults, []);
});

test("a token is revoked without a script", { timeout: 900_000 }, async () => {
  const page = await withToken("Other desk", { javaScriptEnabled: false });
  await Promise.all([page.waitForURL("**/revoke"), page.locator("a[data-ask]").click()]);
  assert.match(await page.textContent("h1"), /Revoke Other desk\?/);
  await Promise.all([page.waitForURL("**/tokens?done=revoked"), page.click("main button[type=submit]")]);
  assert.equal(await page.locator("a[data-ask]").count(), 0);
});
