// A supplier chooses what a customer is told of its own suppliers, looks at it before it
// goes, and tells it; the customer finds it in the chain, dated and attributed, until the
// supplier takes it back. On the way the customer reads a threat, and sees the form in
// which somebody says how a product stands.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { look, openPage, rows, signIn, startBrowser, startDemo, until } from "./entente.mjs";

let demo, browser;
before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

const whole = async (page, what) => assert.deepEqual(await look(page, `disclosure-${what.replaceAll(" ", "-")}`), []);

async function as(email) {
  const page = await openPage(browser);
  await signIn(page, demo, demo.people.find((p) => p.email === email));
  return { page, at: demo.address + new URL(page.url()).pathname.split("/").slice(0, 3).join("/") };
}

/** Opens the page of a partner by its name. */
async function partner({ page, at }, name) {
  await page.goto(at + "/partners");
  await page.click(`main table a:has-text("${name}")`);
  await page.waitForURL(/partners\/ent1/);
}

test("telling of suppliers, a threat, how a product stands", { timeout: 900_000 }, async () => {
  const supplier = await as("owner@rosthof.example");
  const buyer = await as("lead@beanline.example");

  // What stands behind the supplier is known by counts and names until it tells more.
  await partner(supplier, "Beanline");
  await supplier.page.click("text=Choose how much, and look at what it says");
  await whole(supplier.page, "the choice");
  await supplier.page.selectOption("[name=overall]", "name");
  await supplier.page.click("main form button[type=submit] >> nth=0");
  await supplier.page.waitForURL(/disclosure/);
  assert.match(await supplier.page.textContent("main"), /suppliers? by name/);
  await supplier.page.click("text=Tell Beanline now");
  // The demonstration told less before; the later takes its place.
  await until(buyer.page, buyer.at + "/suppliers/rosthof", /replaced by a later one/);
  await whole(buyer.page, "the supplier as told");
  await buyer.page.goto(buyer.at + "/inbox?kind=chain");
  await buyer.page.click('main table a[href*="/inbox/"]');
  await buyer.page.waitForURL(/\/inbox\/./);
  assert.match(await buyer.page.textContent("main"), /It shows in the chain, as told by/);
  await whole(buyer.page, "the entry");
  await buyer.page.goto(buyer.at + "/suppliers/rosthof");
  await buyer.page.click('main table a:has-text("What if it stops?")');
  await buyer.page.waitForURL(/down=/);
  assert.match(await buyer.page.textContent("main"), /What if Kaffeehafen Import is down/);

  // A threat that a small supplier saw.
  await until(buyer.page, buyer.at + "/threats", /changed bank account/, rows);
  await whole(buyer.page, "threats");
  await buyer.page.click('main table a[href*="/threats/"]');
  assert.match(await buyer.page.textContent("main"), /call us before you pay/);
  await whole(buyer.page, "a threat");

  // How a product stands.
  await buyer.page.goto(buyer.at + "/products");
  await buyer.page.click('main table a[href*="/products/"]');
  await buyer.page.goto(buyer.page.url().replace(/\?.*/, "") + "/vex");
  await whole(buyer.page, "how a product stands");

  // What was told is taken back.
  await partner(supplier, "Beanline");
  await supplier.page.click("text=Choose how much, and look at what it says");
  await supplier.page.click("text=Each supplier by itself");
  for (const choice of await supplier.page.locator("main form select").all()) await choice.selectOption({ index: 0 });
  await supplier.page.selectOption("[name=overall]", "nothing");
  await supplier.page.click("main form button[type=submit] >> nth=0");
  await supplier.page.click("text=Take back what Beanline was told");
  await until(buyer.page, buyer.at + "/inbox?kind=chain&state=recalled", /taken back/, rows);
  await whole(supplier.page, "taken back");
  assert.deepEqual([...supplier.page.faults, ...buyer.page.faults], []);
});
