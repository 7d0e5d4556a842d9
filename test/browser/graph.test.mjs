// The chain as a graph: it is drawn, searched, walked through by keyboard, and tells
// the paths to a process; without a script the page says the same.
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
  page.home = new URL(page.url()).pathname;
  return page;
}

const drawn = (page) => page.waitForSelector("canvas[data-drawn]");

/** Counts the different colours of the canvas: a blank one has one. */
const colours = (page) =>
  page.evaluate(() => {
    const canvas = document.querySelector("canvas");
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const seen = new Set();
    for (let i = 0; i < data.length; i += 40) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    return seen.size;
  });

const picture = (page) => page.evaluate(() => document.querySelector("canvas").toDataURL());

test("the graph is drawn, found through and walked by keyboard", { timeout: 900_000 }, async () => {
  const page = await open();
  for (const look of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: look });
    await page.goto(demo.address + page.home + "/graph");
    await drawn(page);
    assert.ok((await colours(page)) > 20, `the canvas is blank (${look})`);
    assert.deepEqual(await axe(page), [], `axe (${look})`);
    await shoot(page, `graph.${look}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(demo.address + page.home + "/graph");
  await drawn(page);
  assert.ok(!(await page.isVisible("[data-graph-still]")), "the drawing of the server is shown twice");
  const whole = await picture(page);

  // Search: by typing, and Enter chooses the first.
  await page.fill("[data-graph-find]", "nordhost");
  await page.waitForSelector(".graph-found button");
  assert.match(await page.textContent(".graph-found"), /Nordhost/);
  await page.press("[data-graph-find]", "Enter");
  assert.match(await page.textContent("[data-graph-name]"), /Nordhost/);
  assert.match(await page.textContent("[data-graph-what]"), /Rank 2/);
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "CANVAS");
  await shoot(page, "graph.chosen");
  await page.fill("[data-graph-find]", "unobtainium");
  assert.match(await page.textContent("[data-graph-found]"), /Nothing is called like that/);
  await page.fill("[data-graph-find]", "");

  // The keyboard alone: walk, zoom, move, show the whole, let go, open.
  await page.focus("canvas");
  await page.keyboard.press("Escape");
  assert.ok(!(await page.isVisible("[data-graph-chosen]")), "Escape lets go");
  await page.keyboard.press("0");
  await page.waitForFunction((was) => document.querySelector("canvas").toDataURL() === was, whole);
  await page.keyboard.press("+");
  await page.waitForFunction((was) => document.querySelector("canvas").toDataURL() !== was, whole);
  await page.keyboard.press("Shift+ArrowLeft");
  await page.keyboard.press("ArrowRight");
  const first = await page.textContent("[data-graph-name]");
  await page.keyboard.press("ArrowRight");
  const second = await page.textContent("[data-graph-name]");
  assert.ok(first && second && first !== second, `the arrows walk: ${first}, ${second}`);
  const href = await page.getAttribute("[data-graph-name]", "href");
  await page.focus("canvas");
  await page.keyboard.press("Enter");
  await page.waitForURL((u) => u.pathname === new URL(href, demo.address).pathname);

  // The pointer: dragging moves, the buttons come nearer.
  await page.goto(demo.address + page.home + "/graph");
  await drawn(page);
  const box = await page.locator("canvas").boundingBox();
  await page.mouse.move(box.x + 40, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + 140, box.y + 90, { steps: 5 });
  await page.mouse.up();
  await page.waitForFunction((was) => document.querySelector("canvas").toDataURL() !== was, whole);
  await page.click("[data-graph-do=whole]");
  await page.waitForFunction((was) => document.querySelector("canvas").toDataURL() === was, whole);
  assert.deepEqual(page.faults, []);
});

test("paths to a process are highlighted and told", { timeout: 900_000 }, async () => {
  const page = await open();
  await page.goto(demo.address + page.home + "/graph");
  await drawn(page);
  const before = await picture(page);
  await page.fill("#f-to", "Bean procurement");
  await page.press("#f-to", "Enter");
  await page.waitForURL(/process=bean-procurement/);
  await drawn(page);
  assert.match(await page.textContent("#ways"), /Paths to Bean procurement[\s\S]*What alone stops it[\s\S]*Nordhost/);
  await page.waitForFunction((was) => document.querySelector("canvas").toDataURL() !== was, before);
  // Another thing is chosen in the graph: the words and the address follow.
  await page.fill("[data-graph-find]", "Nordhost Cloud");
  await page.press("[data-graph-find]", "Enter");
  await page.waitForURL(/from=/);
  await page.waitForFunction(() => /alone stops, Bean procurement stops/.test(document.querySelector("#ways").textContent));
  assert.ok((await page.locator("#ways .hops").count()) > 0, "no way is told");
  assert.deepEqual(await axe(page), []);
  await page.fill("[data-graph-find]", "");
  await shoot(page, "graph.ways");
  const told = await page.textContent("#ways");
  await page.reload();
  assert.equal((await page.textContent("#ways")).replace(/\s+/g, " "), told.replace(/\s+/g, " "), "the address does not hold the question");
  await page.emulateMedia({ colorScheme: "dark" });
  await drawn(page);
  await shoot(page, "graph.ways.dark");
  assert.deepEqual(page.faults, []);
});

test("the graph on a phone, and without a script", { timeout: 900_000 }, async () => {
  const page = await open({ viewport: { width: 360, height: 740 } });
  await page.goto(demo.address + page.home + "/graph?process=bean-procurement&from=nordhost");
  await drawn(page);
  assert.ok((await overflow(page)) <= 0, "wider than a phone");
  await shoot(page, "graph.phone");
  const plain = await open({ javaScriptEnabled: false });
  await plain.goto(demo.address + plain.home + "/graph?process=bean-procurement&from=nordhost");
  const body = await plain.content();
  assert.match(body, /If Nordhost[^<]* alone stops/);
  assert.ok(await plain.isVisible("[data-graph-still] svg"), "no drawing without a script");
  assert.ok(await plain.isVisible("#table table"), "no table without a script");
  assert.ok(!(await plain.isVisible("canvas")), "an empty canvas without a script");
  await shoot(plain, "graph.plain");
  assert.deepEqual([...page.faults, ...plain.faults], []);
});

test("no name in the drawing covers another", { timeout: 900_000 }, async () => {
  const page = await openPage(browser);
  await page.addInitScript(() => {
    const { fillRect, fillText } = CanvasRenderingContext2D.prototype;
    globalThis.written = [];
    CanvasRenderingContext2D.prototype.fillRect = function (...box) {
      globalThis.written = []; // each painting begins with the ground
      return fillRect.apply(this, box);
    };
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
      const half = this.measureText(text).width / 2;
      globalThis.written.push({ text, left: x - half, right: x + half, top: y - 9, bottom: y + 2 });
      return fillText.call(this, text, x, y);
    };
  });
  await signIn(page, demo, demo.people[0]);
  const at = page.url() + "/graph";
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 800 });
    await page.goto(at);
    await drawn(page);
    const written = await page.evaluate(() => globalThis.written);
    assert.ok(written.some((w) => w.text === "Bean procurement") && written.length > 10, `${width} px: only ${written.map((w) => w.text)} are named`);
    const covered = written.flatMap((a, i) => written.slice(i + 1).filter((b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom).map((b) => `${a.text} and ${b.text}`));
    assert.deepEqual(covered, [], `${width} px`);
    await shoot(page, `graph.names.${width}`);
  }
});
