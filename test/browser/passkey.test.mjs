// Somebody signs in by password, adds a passkey, signs in with it, proves with it that
// it is still them, and a colleague joins with one and no password. The authenticator
// is Chromium's virtual one.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axe, openPage, overflow, signIn, startBrowser, startDemo } from "./entente.mjs";

let demo, browser;
before(async () => {
  demo = await startDemo();
  // Browsers bind passkeys to names, so the demonstration is reached by its name.
  demo.address = demo.address.replace("127.0.0.1", "localhost");
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

async function authenticator(page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
}

async function signOut(page) {
  await page.evaluate(() => document.querySelector('form[action="/sign-out"]').submit());
  await page.waitForURL((u) => u.pathname === "/sign-in");
}

test("adding a passkey and signing in with it", { timeout: 900_000 }, async () => {
  const page = await openPage(browser);
  await authenticator(page);
  await page.goto(demo.address + "/sign-in");
  assert.deepEqual(await axe(page), [], "the sign-in with its passkey");
  await signIn(page, demo, demo.people[0]);
  const home = new URL(page.url()).pathname;
  await page.goto(demo.address + home + "/account/security");
  assert.deepEqual(await axe(page), [], "the page of signing in");
  assert.ok((await overflow(page)) <= 0, "wider than the window");
  await page.fill("form[data-passkey] [name=name]", "Test key");
  await page.click("form[data-passkey] button");
  await page.waitForURL(/done=passkey$/);
  assert.match(await page.textContent("main"), /The passkey was added[\s\S]*Test key/);

  await signOut(page);
  await page.click("form[data-passkey] button");
  await page.waitForURL((u) => u.pathname === home);
  await page.goto(demo.address + home + "/account");
  assert.match(await page.textContent("#sessions"), /by passkey/);

  // The same passkey proves that it is still the same person.
  await page.goto(demo.address + home + "/account/prove?next=" + encodeURIComponent(home + "/people"));
  assert.deepEqual(await axe(page), [], "the page that asks for a proof");
  await page.click("form[data-passkey] button");
  await page.waitForURL((u) => u.pathname === home + "/people");

  // A colleague joins with a passkey and no password.
  await page.goto(demo.address + home + "/invitations");
  await page.fill("[name=email]", "ada@new.example");
  await page.selectOption("[name=role]", "auditor");
  assert.equal(await page.isVisible(".scope"), false, "processes are asked for a role without them");
  await page.selectOption("[name=role]", "business-owner");
  assert.equal(await page.isVisible(".scope"), true, "processes are not asked for a business owner");
  await page.selectOption("[name=role]", "auditor");
  await page.click("#invite button[type=submit]");
  const link = await page.inputValue(".once textarea");
  const newcomer = await openPage(browser);
  await authenticator(newcomer);
  await newcomer.goto(link);
  assert.deepEqual(await axe(newcomer), [], "the invitation");
  await newcomer.fill("form[data-passkey] [name=full-name]", "Ada");
  await newcomer.click("form[data-passkey] button");
  await newcomer.waitForURL((u) => u.pathname === home);
  assert.match(await newcomer.textContent(".side-person"), /Ada/);

  assert.deepEqual(page.faults, []);
  assert.deepEqual(newcomer.faults, []);
});

test("a passkey that is not there is told in words", { timeout: 900_000 }, async () => {
  const page = await openPage(browser);
  await authenticator(page);
  await page.goto(demo.address + "/sign-in");
  await page.click("form[data-passkey] button");
  await page.waitForFunction(() => /go on by password/.test(document.querySelector("form[data-passkey] [role=status]").textContent));
  assert.equal(await page.isEnabled("form[data-passkey] button"), true);
  assert.deepEqual(page.faults, []);
});

test("without a script the page says how to go on", { timeout: 900_000 }, async () => {
  const page = await openPage(browser, { javaScriptEnabled: false });
  await page.goto(demo.address + "/sign-in");
  assert.equal(await page.isVisible("form[data-passkey]"), false);
  assert.match(await page.textContent("main"), /Without it, go on by password/);
});
