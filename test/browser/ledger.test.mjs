// What was said: the ledger and its record; a recall and its acknowledgement; an embargo
// from both sides; entries by file; and a guest's seat that moves to a node of its own.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, look, openPage, shoot, signIn, start, startBrowser, startDemo, until } from "./entente.mjs";

let demo, browser, files;
before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
  files = await mkdtemp(path.join(tmpdir(), "entente-files-"));
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  if (files) await rm(files, { recursive: true, force: true });
});

const password = "eleven loud grinders at dawn";

const whole = async (page, what) => assert.deepEqual(await look(page, `ledger-${what.replaceAll(" ", "-")}`), []);

/** Somebody takes a seat on the node through an invitation. */
async function guestOf(lead, at, name) {
  await lead.goto(`${at}/invite-partner?name=${name}&trade=supplies`);
  await lead.click("text=Make the invitation");
  const link = await lead.inputValue(".once textarea");
  const guest = await openPage(browser);
  await guest.goto(link);
  await guest.fill("#seat [name=name]", "Kostas");
  await guest.fill("#seat [name=email]", `${name.toLowerCase()}@kafenio.example`);
  await guest.fill("#seat [name=password]", password);
  await guest.click("#seat button[type=submit]");
  await guest.waitForURL(/done=seat/);
  return guest;
}

const lead = async () => {
  const page = await openPage(browser);
  await signIn(page, demo, demo.people.find((p) => p.email === "lead@beanline.example"));
  return page;
};
const beanline = () => `${demo.address}/o/beanline`;
const rosthof = () => `${demo.address}/o/rosthof`;

const supplier = async () => {
  const page = await openPage(browser);
  await signIn(page, demo, demo.people.find((p) => p.email === "oncall@rosthof.example"));
  return page;
};

test("an embargo, narrowing and recall, seen from both sides", { timeout: 900_000 }, async () => {
  const [us, them] = [await lead(), await supplier()];
  await them.goto(`${rosthof()}/ledger`);
  assert.match(await them.textContent("main"), /Order confirmations are open/);
  await whole(them, "the ledger");
  await them.click("text=Order confirmations are open");
  await them.waitForURL(/\/ledger\/[\w-]+$/);
  const said = them.url();
  await them.$$eval("details", (all) => all.forEach((d) => (d.open = true)));
  await whole(them, "a statement");

  // The supplier proposes; the customer finds it on Home, and accepts.
  await them.click("#embargo >> text=Propose one to");
  await them.fill("[name=until]", "2099-03-01T12:00");
  await them.fill("form.form [name=reason]", "until the fix is out");
  await whole(them, "proposing an embargo");
  await them.click("form.form button[type=submit]");
  await them.waitForURL(/done=embargo-propose/);
  await until(us, beanline(), /proposes an embargo/);
  await us.click("text=proposes an embargo");
  await us.waitForURL(/\/embargo\?/);
  await whole(us, "answering an embargo");
  await us.click("text=Accept it");
  await us.waitForURL(/done=embargo-accept/);
  await until(them, them.url().replace(/&done=.*/, ""), /Nobody passes it on before/);
  await them.goto(`${rosthof()}/embargoes`);
  await whole(them, "embargoes");

  // Narrower in a dialog, then taken back; each is confirmed by signature.
  await them.goto(said);
  await them.click("a.button:has-text('Narrow it')");
  await them.waitForSelector("dialog[open] [name=label]");
  assert.deepEqual(await axe(them), [], "the dialog");
  await shoot(them, "ledger-narrowing-dialog");
  await them.selectOption("dialog [name=label]", "TLP:AMBER+STRICT");
  await them.fill("dialog [name=reason]", "it names a customer");
  await them.click("dialog button[type=submit]");
  await them.waitForURL(/done=narrowed/);
  await until(them, said, /confirmed by signature/);
  await them.click("a.button:has-text('Take it back')");
  await them.waitForSelector("dialog[open] [name=reason]");
  await shoot(them, "ledger-recall-dialog");
  await them.fill("dialog [name=reason]", "the wrong file");
  await them.click("dialog button[type=submit]");
  await them.waitForURL(/done=taken-back/);
  await until(them, said, /^(?!.*not confirmed).*asked to delete it[^;]*; confirmed by signature/s);
  await whole(them, "taken back and confirmed");
  assert.deepEqual([...us.faults, ...them.faults], []);
});

test("the record that counsel asks for", { timeout: 900_000 }, async () => {
  const page = await lead();
  await page.goto(`${beanline()}/ledger`);
  await page.click("text=Your portal rests on one cloud");
  await page.click("text=The record, for counsel");
  await page.waitForURL(/\/record$/);
  await whole(page, "the record");
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.isVisible("text=As CSV"), false, "buttons are not printed");
  await shoot(page, "ledger-the-record-printed");
  await page.emulateMedia({ media: "screen" });
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=As JSON")]);
  const record = JSON.parse(await readFile(await download.path(), "utf8"));
  assert.equal(record.format, "entente.record/1");
  assert.equal(record.recipients.filter((r) => r.entitled).length, 1);
  assert.deepEqual(page.faults, []);
});

test("an embargo proposed to all who got something, without script", { timeout: 900_000 }, async () => {
  const [us, looker, them] = [await openPage(browser, { javaScriptEnabled: false }), await lead(), await supplier()];
  await signIn(us, demo, demo.people.find((p) => p.email === "lead@beanline.example"));
  await us.goto(`${beanline()}/say?kind=practice`);
  await us.fill("[name=title]", "Restore a backup every month");
  await us.fill("[name=text]", "Ours did not open when we needed it.");
  await us.check('[name=label][value="TLP:GREEN"]');
  await us.click("text=Look at who gets it");
  await us.waitForURL(/say\/preview/);
  await us.click("text=Send it");
  await us.waitForURL(/done=said/);
  await us.goto(`${beanline()}/ledger?kind=practice`);
  await us.click("main tbody >> text=Restore a backup every month");
  const said = us.url();
  await us.click("text=Propose one to several");
  await us.waitForURL(/\/embargo$/);
  const all = await us.locator("[name=to]").count();
  assert.ok(all > 1, "several got it");
  assert.equal(await us.locator("[name=to]:checked").count(), all, "all are chosen at first");
  await looker.goto(us.url());
  await whole(looker, "proposing to several");
  await us.fill("[name=until]", "2099-03-01T12:00");
  await us.fill("[name=reason]", "until all have tried");
  await us.click("main form.form button[type=submit]");
  await us.waitForURL(/done=embargo-propose/);
  assert.match(await us.textContent("#embargo"), new RegExp(`Agreed: 0. Not answered: ${all}. Refused: 0.`));

  await until(them, rosthof(), /proposes an embargo/);
  await them.click("text=proposes an embargo");
  await them.click("text=Accept it");
  await them.waitForURL(/done=embargo-accept/);
  await until(us, said, new RegExp(`Agreed: 1. Not answered: ${all - 1}. Refused: 0.`), "#embargo");
  assert.match(await us.textContent("#embargo"), /accepted by Rosthof Wholesale/);
  await looker.goto(said);
  await whole(looker, "who agreed");
  assert.deepEqual([...us.faults, ...looker.faults, ...them.faults], []);
});

test("taking back and narrowing without script", { timeout: 900_000 }, async () => {
  const page = await openPage(browser, { javaScriptEnabled: false });
  await signIn(page, demo, demo.people.find((p) => p.email === "lead@beanline.example"));
  await page.goto(`${beanline()}/ledger`);
  await page.click("text=Your portal rests on one cloud");
  await page.click("a.button:has-text('Narrow it')");
  await page.waitForURL(/\/narrow$/);
  await page.fill("[name=expires]", "2099-12-31");
  await page.click("main form button[type=submit]");
  await page.waitForURL(/done=narrowed/);
  await page.click("a.button:has-text('Take it back')");
  await page.waitForURL(/\/recall$/);
  await page.fill("[name=reason]", "it is settled");
  await page.click("main form button[type=submit]");
  await page.waitForURL(/done=taken-back/);
  assert.deepEqual(page.faults, []);
});

test("entries by file, and contacts", { timeout: 900_000 }, async () => {
  const page = await lead();
  await page.goto(`${beanline()}/partners`);
  await page.click("main >> text=Rosthof");
  await page.click("text=Exchange by file");
  await page.waitForURL(/\/file$/);
  await whole(page, "by file");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("a:has-text('Write the file')")]);
  const file = path.join(files, "entries.jsonl");
  await download.saveAs(file);
  const them = await supplier();
  await them.goto(`${rosthof()}/partners`);
  await them.click("main >> text=Beanline");
  await them.click("text=Exchange by file");
  await them.setInputFiles("[name=entries]", file);
  await them.click("text=Read the file");
  await them.waitForSelector("#result");
  await whole(them, "what the file brought");
  await page.goto(`${beanline()}/contacts`);
  await page.fill("[name=name-0]", "Security desk");
  await page.fill("[name=email-0]", "desk@beanline.example");
  await whole(page, "contacts");
  await page.click("text=Save and tell partners");
  await page.waitForURL(/done=contacts-told/);
  assert.deepEqual([...page.faults, ...them.faults], []);
});

test("a guest moves to a node of its own", { timeout: 900_000 }, async () => {
  const us = await lead();
  const guest = await guestOf(us, beanline(), "Kafenio");
  const seat = new URL(guest.url()).pathname.match(/^\/o\/[^/]+/)[0];
  await guest.setViewportSize({ width: 360, height: 740 });
  await guest.goto(demo.address + seat + "/move");
  await whole(guest, "moving a seat");
  await guest.fill("[name=passphrase]", "nineteen grey herons");
  await guest.fill("[name=again]", "nineteen grey herons");
  const [download] = await Promise.all([guest.waitForEvent("download"), guest.click("text=Write the file and close the seat here")]);
  const file = path.join(files, "seat.jsonl");
  await download.saveAs(file);
  await guest.goto(demo.address + seat + "/move");
  assert.match(await guest.textContent("main"), /is closed here/);
  await whole(guest, "a seat that is closed");

  const data = path.join(files, "own");
  const own = await start(["serve", "--addr", "127.0.0.1:0", "--data", data, "--allow-private-addresses", "--organisation", "Kafenio", "--owner-email", "kostas@kafenio.example"], (said) => /serves at/.test(said), { ENTENTE_OWNER_PASSWORD: password });
  try {
    const there = await openPage(browser);
    await signIn(there, own, { email: "kostas@kafenio.example", password });
    await there.goto(`${own.address}/o/kafenio/partners`);
    await there.click("text=Bring a seat with you");
    await there.waitForURL(/bring-seat/);
    await whole(there, "bringing a seat");
    await there.fill("[name=passphrase]", "nineteen grey herons");
    await there.setInputFiles("[name=seat]", file);
    await there.click("text=Open the seat here");
    await there.waitForURL(/done=moved-in/);
    assert.match(await there.textContent("main"), /Beanline/);
    await whole(there, "a seat that was brought");
    await us.goto(`${beanline()}/partners`);
    await us.click("main >> text=Kafenio");
    await until(us, us.url(), new RegExp(own.address));
    assert.deepEqual([...us.faults, ...guest.faults, ...there.faults], []);
  } finally {
    await own.stop();
  }
});
