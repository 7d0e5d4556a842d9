// What happens elsewhere appears on an open page, without a reload.
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

function advisory(id) {
  return JSON.stringify({
    schema_version: "1.6.0", id, modified: "2026-10-01T08:00:00Z", published: "2026-10-01T08:00:00Z", summary: "A hole that arrived while the page stood open",
    affected: [{ package: { ecosystem: "Maven", name: "org.apache.logging.log4j:log4j-core" }, ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed: "99.0" }] }] }],
    severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H" }],
  });
}

test("an advisory that another client brings in appears on open pages", { timeout: 900_000 }, async () => {
  const home = await openPage(browser);
  await signIn(home, demo, demo.people[0]);
  const at = new URL(home.url());
  const org = at.origin + at.pathname.split("/").slice(0, 3).join("/");
  const other = await openPage(browser);
  await signIn(other, demo, demo.people[0]);
  const bring = async (id) => {
    const answer = await other.request.post(org + "/record-advisories", { multipart: { advisories: { name: id + ".json", mimeType: "application/json", buffer: Buffer.from(advisory(id)) } } });
    assert.equal(answer.status(), 200, await answer.text());
  };

  const dark = await openPage(browser, { colorScheme: "dark", viewport: { width: 360, height: 740 } });
  await signIn(dark, demo, demo.people[0]);
  await dark.goto(org);
  await home.goto(org);
  await home.evaluate(() => (globalThis.stayed = true));
  await home.focus("#today a");
  const focused = await home.evaluate(() => document.activeElement.getAttribute("href"));
  await bring("DEMO-2026-0001");
  await home.waitForSelector("#news .news");
  assert.match(await home.textContent("#news .news"), /New: the advisory DEMO-2026-0001 arrived and hits \d+ products?\./);
  await home.waitForFunction(() => /A hole that arrived|DEMO-2026-0001/.test(document.getElementById("today").textContent));
  assert.match(await home.textContent("#said"), /DEMO-2026-0001/);
  assert.equal(await home.evaluate(() => globalThis.stayed), true, "the page was loaded anew");
  assert.equal(await home.evaluate(() => document.activeElement.getAttribute("href")), focused, "the focus was lost");
  await dark.waitForSelector("#news .news");
  for (const [page, look] of [[home, "light"], [dark, "dark"]]) {
    assert.deepEqual(await axe(page), [], look);
    await shoot(page, "news." + look);
  }
  assert.ok((await overflow(dark)) <= 0, "the news are wider than a phone");
  await dark.context().close();
  await home.click("#news button");
  assert.equal(await home.locator("#news .news").count(), 0);

  // On the list, what somebody is typing stays.
  await home.goto(org + "/advisories");
  await home.evaluate(() => (globalThis.stayed = true));
  await home.fill("#f-q", "half a wo");
  await bring("DEMO-2026-0002");
  await home.waitForFunction(() => document.getElementById("rows").textContent.includes("DEMO-2026-0002"));
  assert.equal(await home.inputValue("#f-q"), "half a wo");
  assert.equal(await home.evaluate(() => document.activeElement.id), "f-q");
  assert.equal(await home.evaluate(() => globalThis.stayed), true);
  await Promise.all([home.waitForURL("**/advisories/DEMO-2026-0002"), home.click("#news .news a")]);
  assert.deepEqual([...home.faults, ...other.faults], []);
});
