// A security lead shares an AMBER advisory: previews who gets it, sends it, and the
// partner reads and acknowledges it on a phone in the dark. The partner asks something
// back, without a script, and is answered.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { look, openPage, rows, shoot, signIn, startBrowser, startDemo, until } from "./entente.mjs";

let demo, browser;
before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

const whole = async (page, what) => assert.deepEqual(await look(page, `sharing-${what.replaceAll(" ", "-")}`), []);

/** Invites an organisation, and takes the seat in another page. */
async function partners(lead, home, guest, name, person) {
  await lead.goto(demo.address + home + "/invite-partner");
  await lead.fill("main form.form [name=name]", name);
  await lead.selectOption("[name=trade]", "buys");
  await lead.click("main form.form button[type=submit]");
  await lead.waitForURL(/trade=buys/);
  await lead.click("text=Make the invitation");
  await guest.goto(await lead.inputValue(".once textarea"));
  await guest.fill("#seat [name=name]", person);
  await guest.fill("#seat [name=email]", person.toLowerCase() + "@kafenio.example");
  await guest.fill("#seat [name=password]", "eleven loud grinders at dawn");
  await guest.click("#seat button[type=submit]");
  await guest.waitForURL(/done=seat/);
  return new URL(guest.url()).pathname.split("/").slice(0, 3).join("/");
}

test("sharing an advisory, reading it, asking back", { timeout: 900_000 }, async () => {
  const lead = await openPage(browser);
  await signIn(lead, demo, demo.people.find((p) => p.email === "lead@beanline.example"));
  const home = new URL(lead.url()).pathname;
  const guest = await openPage(browser);
  const theirs = await partners(lead, home, guest, "Kafenio", "Kostas");
  await guest.goto(demo.address + theirs + "/inbox");
  await whole(guest, "an empty inbox");

  await lead.goto(demo.address + home + "/say");
  await whole(lead, "the kinds");
  await lead.goto(demo.address + home + "/advisories");
  await lead.click("main tbody a");
  await lead.click("text=Share this advisory with partners");
  await lead.check('[name=label][value="TLP:AMBER"]');
  assert.equal(await lead.isVisible(".only-chosen"), false);
  await lead.check("[name=who][value=chosen]");
  await lead.check("text=Kafenio");
  await lead.$$eval("details", (all) => all.forEach((d) => (d.open = true)));
  await lead.fill("[name=purpose]", "to look into your own products");
  await whole(lead, "the form");
  await lead.click("text=Look at who gets it");
  await lead.waitForURL(/say\/preview/);
  assert.match(await lead.textContent("#gets"), /Kafenio/);
  assert.match(await lead.textContent("#gets"), /addressed to them/);
  await whole(lead, "the preview");
  await lead.click("text=Send it");
  await lead.waitForURL(/done=said/);
  await whole(lead, "sent");

  await until(guest, demo.address + theirs + "/inbox", /TLP:AMBER/, rows);
  assert.match(await guest.textContent("#menu"), /Inbox \(1\)/);
  await whole(guest, "the inbox");
  await guest.click("main tbody a");
  assert.match(await guest.textContent("main"), /to look into your own products/);
  assert.match(await guest.textContent("main"), /customers who need to know it/);
  await whole(guest, "the entry");
  await guest.click("button:has-text('Acknowledge')");
  await guest.waitForURL(/done=acknowledged/);
  await whole(guest, "acknowledged");
  await guest.click("text=Pass it on");
  await whole(guest, "passing on");

  // Without a script, from the concern to the answer.
  const state = await guest.context().storageState();
  const plain = await openPage(browser, { javaScriptEnabled: false, storageState: state, viewport: { width: 360, height: 740 } });
  await plain.goto(demo.address + theirs + "/say?kind=concern");
  await plain.selectOption("[name=to]", { index: 1 });
  await plain.fill("[name=title]", "Who may change our orders?");
  await plain.fill("[name=text]", "Ask kostas@kafenio.example if you need more.");
  await plain.click("text=Look at who gets it");
  await plain.waitForURL(/say\/preview/);
  assert.match(await plain.textContent("#findings"), /Data about a person/);
  await shoot(plain, "sharing-plain-findings-360");
  await plain.click("text=Go back and edit");
  await plain.waitForURL(/say\/edit/);
  assert.equal(await plain.inputValue("[name=title]"), "Who may change our orders?");
  await plain.click("text=Look at who gets it");
  await plain.check("[name^=let-go]");
  await plain.fill("[name^=reason]", "it is my own address");
  await plain.click("text=Send it");
  await plain.waitForURL(/done=said/);

  await until(lead, demo.address + home, /1 concern of a partner waits for your answer/);
  await lead.click("text=1 concern of a partner waits for your answer");
  await whole(lead, "the concerns");
  await lead.click("text=Who may change our orders?");
  await lead.click("main a.button.first:has-text('Answer')");
  await lead.fill("[name=text]", "Two people in procurement, by their own keys.");
  await whole(lead, "the answer");
  await lead.click("text=Look at who gets it");
  await lead.waitForURL(/say\/preview/);
  await lead.click("text=Send it");
  await lead.waitForURL(/done=answer-sent/);
  await whole(lead, "the thread");
  await until(guest, demo.address + theirs + "/concerns", /answered/, rows);
  await guest.click("text=Who may change our orders?");
  assert.match(await guest.textContent("#thread"), /Two people in procurement/);
  await whole(guest, "the thread of who asked");
  assert.deepEqual([...lead.faults, ...guest.faults, ...plain.faults], []);
});
