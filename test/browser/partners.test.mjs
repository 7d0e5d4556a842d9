// A security lead invites a supplier; somebody there opens the link on a phone, takes a
// seat and is welcomed; both see the same ten words and compare them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { look, openPage, signIn, startBrowser, startDemo } from "./entente.mjs";

let demo, browser;
before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

const wordsOf = (page, place) => page.$$eval(".key-words", (lists, at) => [...lists[at].querySelectorAll("li")].map((li) => li.textContent), place);

const whole = async (page, what) => assert.deepEqual(await look(page, `partners-${what.replaceAll(" ", "-")}`), []);

test("inviting, taking a seat on a phone, comparing the words", { timeout: 900_000 }, async () => {
  const lead = await openPage(browser);
  await signIn(lead, demo, demo.people.find((p) => p.email === "lead@beanline.example"));
  const home = new URL(lead.url()).pathname;
  await lead.goto(demo.address + home + "/invite-partner");
  await whole(lead, "whom to invite");
  await lead.fill("main form.form [name=name]", "Kafenio");
  await lead.selectOption("[name=trade]", "supplies");
  await lead.click("main form.form button[type=submit]");
  await lead.waitForURL(/trade=supplies/);
  await lead.$$eval("details", (all) => all.forEach((d) => (d.open = true)));
  await whole(lead, "the terms");
  await lead.click("text=Make the invitation");
  const link = await lead.inputValue(".once textarea");
  assert.match(link, /\/join\/ent1[a-z0-9]+\/[\w-]+#[0-9a-f]{64}$/);
  assert.equal(await lead.isVisible("svg.qr"), true);
  await whole(lead, "the invitation");

  const phone = await openPage(browser, { viewport: { width: 360, height: 740 } });
  await phone.goto(link);
  await phone.$$eval("details", (all) => all.forEach((d) => (d.open = true)));
  await whole(phone, "the link on a phone");
  assert.match(await phone.textContent("h1"), /Beanline invites you/);
  await phone.fill("#seat [name=name]", "Kostas");
  await phone.fill("#seat [name=email]", "kostas@kafenio.example");
  await phone.fill("#seat [name=password]", "eleven loud grinders at dawn");
  await phone.click("#seat button[type=submit]");
  await phone.waitForURL(/\/o\/kafenio\/partners\/.*done=seat/);
  assert.match(await phone.textContent("main"), /What to do next/);
  await whole(phone, "the seat on a phone");

  await lead.goto(demo.address + home + "/partners");
  await lead.click("text=Kafenio");
  await lead.waitForURL(/\/partners\/ent1/);
  const [theirs, ours] = [await wordsOf(lead, 0), await wordsOf(lead, 1)];
  assert.equal(theirs.length, 10);
  assert.deepEqual([await wordsOf(phone, 1), await wordsOf(phone, 0)], [theirs, ours]);
  for (const page of [lead, phone]) {
    await page.click("text=We compared them");
    await page.waitForURL(/done=compared/);
    assert.match(await page.textContent("#words"), /Compared by/);
  }
  await whole(lead, "the partner");
  assert.deepEqual([...lead.faults, ...phone.faults], []);
});
