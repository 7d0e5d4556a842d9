// What a newcomer does in the first half hour, on a node that a Go test has started
// (cmd/entente/tour_test.go: once on each database engine): sign in, find out why a
// process hangs on one host, change the map, import a sheet with three bad rows, print
// the data flows, and invite an auditor for whom everything works that is shown.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axe, openPage, overflow, shoot, signIn, startBrowser } from "./entente.mjs";

const demo = { address: process.env.ENTENTE_ADDRESS };
const password = process.env.ENTENTE_PASSWORD;
const owner = { email: "owner@beanline.example", password };
const lead = { email: "lead@beanline.example", password };
const home = "/o/beanline";
const accessible = process.env.ENTENTE_AXE !== "no"; // pages look alike on every database engine
assert.ok(demo.address && password, "ENTENTE_ADDRESS and ENTENTE_PASSWORD say where the demonstration runs");

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

/** What a page must be at every step: accessible, no wider than its window, without faults. */
async function sound(page, name) {
  if (accessible) assert.deepEqual(await axe(page), [], name);
  assert.ok((await overflow(page)) <= 0, `${name} is wider than its window`);
  assert.deepEqual(page.faults, [], name);
  await shoot(page, "tour-" + name.replaceAll(" ", "-"));
}

async function follow(page, link) {
  await Promise.all([page.waitForNavigation(), link.click()]);
}

/** Presses a button that sends its form. */
const press = (page, name, within = page) => follow(page, within.getByRole("button", { name, exact: true }).first());

for (const [look, viewport, colorScheme] of [
  ["at a desk", { width: 1280, height: 900 }, "light"],
  ["on a phone in the dark", { width: 360, height: 740 }, "dark"],
]) {
  test(`why bean procurement hangs on one host, ${look}`, { timeout: 900_000 }, async () => {
    const page = await openPage(browser, { viewport, colorScheme });
    await signIn(page, demo, owner);
    await sound(page, `home ${look}`);
    await page.goto(demo.address + home + "/processes");
    await follow(page, page.getByRole("link", { name: "Bean procurement", exact: true }).first());
    await sound(page, `the process ${look}`);
    assert.match(await page.textContent("main"), /Nordhost Cloud/);
    await page.goto(demo.address + home + "/concentration");
    assert.match(await page.textContent("main"), /Nordhost Cloud/);
    await sound(page, `concentration ${look}`);
    await page.goto(demo.address + home + "/what-if");
    await page.fill("#f-add", "Nordhost Cloud");
    await press(page, "Show", page.locator("main"));
    assert.equal(new URL(page.url()).searchParams.get("down"), "nordhost", "the question is not in the address");
    assert.match(await page.textContent("main"), /Bean procurement stops after 24 h: it needs .*Nordhost Cloud, which is down\./s);
    await sound(page, `what if ${look}`);
    await page.context().close();
  });
}

test("changing the map, and two people who change the same", { timeout: 900_000 }, async () => {
  const at = demo.address + home + "/processes/bean-procurement";
  const mine = await openPage(browser);
  await signIn(mine, demo, owner);
  const theirs = await openPage(browser);
  await signIn(theirs, demo, lead);
  await mine.goto(at + "/edit");
  await theirs.goto(at + "/edit");
  await sound(mine, "editing a process");
  await mine.fill("[name='bia.rto']", "20h");
  await press(mine, "Save", mine.locator("form.edit .actions"));
  await mine.goto(at);
  assert.match(await mine.textContent("main"), /RTO\s*20 h/);

  await theirs.fill("[name='owner']", "Purchasing");
  await press(theirs, "Save", theirs.locator("form.edit .actions"));
  assert.match(theirs.url(), /\/edit$/, "the second one overwrote the first without a word");
  assert.match(await theirs.textContent("main"), /Theirs and yours/);
  theirs.faults = theirs.faults.filter((f) => !f.includes("409")); // the browser tells of the conflict too
  await sound(theirs, "a conflict");
  await theirs.fill("[name='bia.rto']", "20h");
  await press(theirs, "Save", theirs.locator("form.edit .actions"));
  await theirs.goto(at);
  assert.match(await theirs.textContent("main"), /Purchasing/);

  // What is wrong is told at its field, and nothing is lost.
  await mine.goto(at + "/edit");
  await mine.fill("[name='bia.rto']", "soon");
  await mine.fill("[name='description']", "Beans, tested and on the shelf.");
  await press(mine, "Save", mine.locator("form.edit .actions"));
  assert.equal(await mine.getAttribute("[name='bia.rto']", "aria-invalid"), "true");
  assert.equal(await mine.inputValue("[name='description']"), "Beans, tested and on the shelf.");
  mine.faults = mine.faults.filter((f) => !f.includes("422"));
  await sound(mine, "a wrong value");

  await mine.goto(at + "/history");
  assert.match(await mine.textContent("main"), /Purchasing/);
  await sound(mine, "the history");
  await press(mine, "Undo this change");
  await mine.goto(at);
  assert.doesNotMatch(await mine.textContent("main"), /Purchasing/);
  await mine.context().close();
  await theirs.context().close();
});

test("a supplier sheet with three bad rows", { timeout: 900_000 }, async () => {
  const page = await openPage(browser);
  await signIn(page, demo, owner);
  await page.goto(demo.address + home + "/import?kind=suppliers");
  await sound(page, "the import");
  const sheet = "Vendor;Land;What;Nature\nFjordbeans;NO;Green beans;goods\nBadland;Atlantis;Bread;goods\nOddly;DE;Bread;tasty\n;DE;Bread;goods\nNordwind;DE;Mail;cloud\n";
  await page.setInputFiles("input[type=file]", { name: "suppliers.csv", mimeType: "text/csv", buffer: Buffer.from(sheet) });
  await press(page, "Go on to the columns");
  await sound(page, "the columns of the import");
  for (const [field, column] of Object.entries({ name: "1. Vendor", country: "2. Land", supply: "3. What", nature: "4. Nature" })) {
    await page.selectOption(`select[name='column-${field}']`, { label: column });
  }
  await press(page, "Show what would happen");
  const told = await page.textContent("main");
  for (const why of [/3 rows are refused/, /Atlantis/, /tasty/, /it is empty/]) assert.match(told, why);
  await sound(page, "the preview of the import");
  await page.selectOption("select[name=wrong]", "pass");
  await press(page, "Show again");
  await press(page, "Import 2 rows");
  await page.waitForFunction(() => /Undo this import/.test(document.body.textContent), undefined, { timeout: 180_000 });
  await sound(page, "the result of the import");
  await follow(page, page.getByRole("link", { name: "Fjordbeans" }).first());
  assert.match(await page.textContent("h1"), /Fjordbeans/);
  await page.goBack();
  await press(page, "Undo this import");
  await page.goto(demo.address + home + "/suppliers?q=Fjordbeans");
  assert.doesNotMatch(await page.textContent("main table, main"), /Fjordbeans\s*NO/);
  await page.context().close();
});

test("printing the data flows", { timeout: 900_000 }, async () => {
  const page = await openPage(browser);
  await signIn(page, demo, owner);
  await page.goto(demo.address + home + "/data-flows");
  await page.emulateMedia({ media: "print" });
  assert.ok(await page.locator("main svg").first().isVisible(), "the drawing is not printed");
  assert.ok(!(await page.locator("nav.side").isVisible()), "the navigation is printed");
  const paper = await page.pdf({ format: "A4", landscape: true });
  assert.ok(paper.length > 10_000, `a page of ${paper.length} bytes`);
  const file = await page.request.get(demo.address + home + "/data-flows?format=svg");
  assert.match(await file.text(), /^<\?xml|^<svg/);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("an auditor is invited, and everything works that is shown", { timeout: 900_000 }, async () => {
  const page = await openPage(browser);
  await signIn(page, demo, owner);
  await page.goto(demo.address + home + "/invitations");
  await page.fill("main [name=email]", `auditor.${Date.now()}@example.org`);
  await page.fill("main [name=name]", "Outside auditor");
  await page.selectOption("main [name=role]", "auditor");
  await press(page, "Make the link");
  const link = await page.inputValue("#f-link");
  await sound(page, "an invitation");
  await page.context().close();

  const auditor = await openPage(browser);
  await auditor.goto(link);
  await sound(auditor, "accepting an invitation");
  if (await auditor.locator("main [name=name]").count()) await auditor.fill("main [name=name]", "Outside auditor");
  await auditor.fill("main [name=password]", "nothing but the truth 7");
  await auditor.locator("main form").filter({ has: auditor.locator("[name=password]") }).locator("button[type=submit]").first().click();
  await auditor.waitForURL((u) => u.pathname.startsWith(home));

  // Own account, tokens and saved views are the auditor's; nothing else is changed.
  const own = /^\/sign-out$|\/(account|views|preferences|tokens)(\/|$)|\/journal\/verify$/;
  const seen = new Set();
  const open = [demo.address + home];
  while (open.length > 0 && seen.size < 120) {
    const url = new URL(open.shift());
    url.hash = "";
    const parts = url.pathname.split("/");
    for (let i = 4; i < parts.length; i += 2) parts[i] = "*";
    const kind = parts.join("/") + [...url.searchParams.keys()].sort().join("&");
    if (seen.has(kind)) continue;
    seen.add(kind);
    const answer = await auditor.goto(url.href);
    assert.equal(answer.status(), 200, `${url.href} is shown to the auditor, and answers ${answer.status()}`);
    const forms = await auditor.$$eval("form[method=post i]:not(#picking)", (all) => all.map((f) => new URL(f.getAttribute("action") ?? "", document.baseURI).pathname));
    // Chosen rows can be taken away as a file, and nothing else.
    const acts = await auditor.$$eval("#picking select[name=act] option", (all) => all.map((o) => o.value));
    for (const act of acts) assert.match(act, /csv|xlsx/, `${url.href} offers the auditor to ${act} what is chosen`);
    for (const action of forms) assert.match(action, own, `${url.href} shows the auditor a form for ${action}`);
    for (const href of await auditor.$$eval("a[href]", (links) => links.filter((a) => !a.hasAttribute("download")).map((a) => new URL(a.getAttribute("href"), document.baseURI).href))) {
      const next = new URL(href);
      if (next.origin === url.origin && !/\.(csv|xlsx|svg|yaml|json)$|format=|\/api\/|\/static\//.test(next.href)) open.push(next.href);
    }
  }
  assert.ok(seen.size > 15, `the auditor sees only ${seen.size} pages`);
  assert.deepEqual(auditor.faults, []);
  await auditor.context().close();
});

test("by keyboard alone", { timeout: 900_000 }, async () => {
  const page = await openPage(browser);
  await page.goto(demo.address + "/sign-in");
  /** Goes on with the Tab key until the focus is on what is meant, and looks that one sees it there. */
  const tabTo = async (what, test) => {
    for (let i = 0; i < 150; i++) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => {
        const e = document.activeElement;
        const style = getComputedStyle(e);
        const box = e.getBoundingClientRect();
        return { tag: e.tagName, name: e.getAttribute("name") ?? "", text: (e.textContent ?? "").trim(), seen: box.width > 0 && box.height > 0, ring: style.outlineStyle !== "none" || style.boxShadow !== "none" };
      });
      if (!test(at)) continue;
      assert.ok(at.seen && at.ring, `one does not see that the focus is on ${what}`);
      return;
    }
    assert.fail(`${what} cannot be reached with the Tab key`);
  };
  await tabTo("the e-mail address", (e) => e.name === "email");
  await page.keyboard.type(owner.email);
  await tabTo("the password", (e) => e.name === "password");
  await page.keyboard.type(password);
  await Promise.all([page.waitForURL((u) => u.pathname.startsWith(home)), page.keyboard.press("Enter")]);

  await page.keyboard.press("Tab");
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Skip to the content/);
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "content");

  await page.goto(demo.address + home);
  await tabTo("Processes", (e) => e.tag === "A" && e.text === "Processes");
  await Promise.all([page.waitForURL(/\/processes$/), page.keyboard.press("Enter")]);
  await tabTo("Bean procurement", (e) => e.tag === "A" && e.text === "Bean procurement");
  await Promise.all([page.waitForURL(/bean-procurement$/), page.keyboard.press("Enter")]);
  await tabTo("Edit", (e) => e.tag === "A" && e.text === "Edit");
  await Promise.all([page.waitForURL(/\/edit$/), page.keyboard.press("Enter")]);
  await tabTo("the owner", (e) => e.name === "owner");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("Head of beans");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  await page.goto(demo.address + home + "/processes/bean-procurement/edit");
  assert.equal(await page.inputValue("[name='owner']"), "Head of beans");
  assert.deepEqual(page.faults, []);
  await page.context().close();
});
