// The outage hour by hour: the slider by keyboard, its address, and without a script;
// the charts and the drawings that people walk in.
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

async function open(options) {
  const page = await openPage(browser, options);
  await signIn(page, demo, demo.people[0]);
  page.at = demo.address + new URL(page.url()).pathname;
  return page;
}

const said = (page) => page.textContent("[data-moment-shown] [role=status]");

test("the slider tells each moment, and the address keeps it", { timeout: 900_000 }, async () => {
  const page = await open();
  await page.goto(page.at + "/what-if?down=nordhost&at=0");
  assert.match(await said(page), /At once, 0 of 4/);
  assert.ok(!(await page.isVisible("form[data-moment] button")), "a button that is not needed");
  await page.focus("#f-at");
  for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => /After 4 h/.test(document.querySelector("[data-moment-shown]").textContent));
  assert.equal(await page.getAttribute("#f-at", "aria-valuetext"), "after 4 h");
  assert.equal(await page.evaluate(() => document.activeElement.id), "f-at", "the slider keeps the focus");
  await page.keyboard.press("End");
  await page.waitForURL(/at=168/);
  await page.waitForFunction(() => /Nothing more stops/.test(document.querySelector("[data-moment-shown]").textContent));
  await page.click("#moment .inline-list a:has-text('after 24 h')");
  await page.waitForURL(/at=24/);
  const words = await said(page);
  assert.match(words, /After 24 h, [1-4] of 4/);
  for (const look of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: look });
    await page.reload();
    assert.deepEqual(await axe(page), [], `axe (${look})`);
    await shoot(page, `what-if.${look}`);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  assert.ok((await overflow(page)) <= 0, "wider than a phone");
  await shoot(page, "what-if.phone");
  const plain = await open({ javaScriptEnabled: false });
  await plain.goto(plain.at + "/what-if?down=nordhost&at=24");
  assert.equal(await said(plain), words);
  await plain.focus("#f-at");
  await plain.keyboard.press("Home");
  await Promise.all([plain.waitForURL(/at=0/), plain.click("form[data-moment] button")]);
  assert.match(await said(plain), /At once, 0 of 4/);
  assert.deepEqual([...page.faults, ...plain.faults], []);
});

test("the charts of concentration, on the screen and on paper", { timeout: 900_000 }, async () => {
  const page = await open();
  await page.goto(page.at + "/concentration");
  for (const look of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: look });
    await page.reload();
    assert.deepEqual(await axe(page), [], `axe (${look})`);
    await shoot(page, `concentration.${look}`);
  }
  await page.emulateMedia({ media: "print" });
  assert.ok(await page.isVisible(".chart svg"), "no chart on paper");
  await shoot(page, "concentration.print");
  assert.deepEqual(page.faults, []);
});

test("a drawing to walk in", { timeout: 900_000 }, async () => {
  const page = await open();
  await page.goto(page.at + "/data-flows");
  await page.waitForSelector("[data-drawing-tools]:not([hidden])");
  await shoot(page, "data-flows");
  const width = () => page.evaluate(() => document.querySelector(".drawing-box svg").getBoundingClientRect().width);
  const before = await width();
  await page.focus(".drawing-box");
  await page.keyboard.press("+");
  assert.ok((await width()) > before * 1.2, "+ does not come nearer");
  await page.click("[data-drawing-do=whole]");
  assert.ok((await width()) <= (await page.evaluate(() => document.querySelector(".drawing-box").clientWidth)), "the whole is not shown");
  const lit = () => page.evaluate(() => document.querySelectorAll(".drawing-box .thing.lit").length);
  await page.selectOption("[data-drawing-pick]", { index: 1 });
  const neighbours = await lit();
  assert.ok(neighbours >= 2, `${neighbours} things stand out`);
  const flow = await page.evaluate(() => [...document.querySelector("[data-drawing-pick]").options].find((o) => o.value.startsWith("edge ")).value);
  await page.selectOption("[data-drawing-pick]", flow);
  assert.equal(await lit(), 2, "a flow has two ends");
  await shoot(page, "data-flows.lit");
  await page.focus(".drawing-box");
  await page.keyboard.press("Escape");
  assert.equal(await lit(), 0, "Escape lets go");
  assert.deepEqual(await axe(page), []);
  await page.setViewportSize({ width: 360, height: 740 });
  assert.ok((await overflow(page)) <= 0, "wider than a phone");
  assert.deepEqual(page.faults, []);
});
