// Starts the real program with its demonstration and a real headless Chromium, and
// watches every page for what a person would not see: console errors, violations of
// the content security policy, failed or foreign requests.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

export const root = path.resolve(import.meta.dirname, "../..");
const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const shots = process.env.ENTENTE_SCREENSHOTS ?? "";

const binary = path.join(root, "bin/entente");

/** Starts `entente demo` on a free port and gives its address and sign-ins. */
export async function startDemo() {
  const data = await mkdtemp(path.join(tmpdir(), "entente-browser-"));
  const node = await start(["demo", "--alone", "--addr", "127.0.0.1:0", "--data", data], (said) => /Ctrl|ready/i.test(said) && peopleOf(said).length > 0);
  return {
    ...node,
    people: peopleOf(node.output()),
    async stop() {
      await node.stop();
      await rm(data, { recursive: true, force: true });
    },
  };
}

const peopleOf = (said) => [...said.matchAll(/([a-z-]+@[a-z.-]+\.example)\s+(\S+)/g)].map(([, email, password]) => ({ email, password }));

/** Starts the program as a server and waits until what it says is enough. */
export async function start(args, ready, env = {}) {
  if (!existsSync(binary)) throw new Error("bin/entente is missing: run make build first");
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  let said = "";
  const address = () => said.match(/http:\/\/127\.0\.0\.1:\d+/)?.[0];
  await new Promise((resolve, reject) => {
    const hear = (chunk) => {
      said += chunk;
      if (address() && ready(said)) resolve();
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("exit", (code) => reject(new Error(`entente ${args[0]} ended with ${code}:\n${said}`)));
    setTimeout(() => reject(new Error(`entente ${args[0]} did not start within 3 min:\n${said}`)), 180_000).unref();
  });
  return {
    address: address(),
    output: () => said,
    async stop() {
      child.removeAllListeners("exit");
      const ended = new Promise((resolve) => child.on("exit", resolve));
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Runs a command of the program to its end and gives what it wrote. */
export async function run(args) {
  const { stdout } = await promisify(execFile)(binary, args, { maxBuffer: 64 << 20 });
  return stdout;
}

/** Starts a headless Chromium that asks nobody outside this machine for anything. */
export async function startBrowser() {
  const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
  if (!executablePath) throw new Error("no Chromium on this machine: install the system's package chromium");
  return chromium.launch({
    executablePath,
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** Opens a page that records whatever went wrong behind it. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(120_000); // also on a machine that is busy with other tests
  const page = await context.newPage();
  page.faults = [];
  page.on("console", (m) => {
    if (m.type() === "error" || m.type() === "warning") page.faults.push(`console ${m.type()}: ${m.text()}`);
  });
  page.on("pageerror", (e) => page.faults.push(`script error: ${e.message}`));
  page.on("request", (r) => {
    const host = new URL(r.url()).hostname;
    if (host && host !== "127.0.0.1" && host !== "localhost") page.faults.push(`a request to a third party: ${r.url()}`);
  });
  page.on("response", (r) => {
    if (r.status() >= 500) page.faults.push(`${r.status()} for ${r.url()}`);
  });
  return page;
}

/** Signs a person in with the password, as the form of the page asks for it. */
export async function signIn(page, demo, person) {
  await page.goto(demo.address + "/sign-in");
  await page.fill("input[type=email]", person.email);
  await page.fill("input[type=password]", person.password);
  await Promise.all([page.waitForURL((u) => !u.pathname.startsWith("/sign-in")), page.click("main button[type=submit]")]);
}

/** Loads a page again until a part of it says something: what is said travels by itself.
 * Of a list it is the rows that are read, since its filters name every state there is. */
export async function until(page, address, pattern, part = "main") {
  for (let i = 0; i < 900; i++) {
    await page.goto(address);
    if (pattern.test((await page.locator(part).allTextContents()).join("\n"))) return;
    await page.waitForTimeout(200);
  }
  assert.fail(`${address} never said ${pattern} in ${part}`);
}

/** Where the rows of a list are. */
export const rows = "main tbody";

/** One page of a kind is enough: /o/x/processes/a and /o/x/processes/b are alike. */
export function kindOf(url) {
  const parts = url.pathname.split("/");
  // /o/{org}/{room}/{id}/{what}/{id}
  for (let i = 4; i < parts.length; i += 2) parts[i] = "*";
  return parts.join("/") + [...url.searchParams.keys()].sort().map((k) => "?" + k).join("");
}

/** Opens one page of each kind that links lead to, and lets somebody look at each. Gives
 * their addresses by kind. */
export async function crawl(page, start, look) {
  const seen = new Map();
  const open = [new URL(start)];
  while (open.length > 0 && seen.size < 150) {
    const url = open.shift();
    url.hash = "";
    const kind = kindOf(url);
    if (seen.has(kind)) continue;
    const answer = await page.goto(url.href);
    seen.set(kind, url.href);
    if (!(answer.headers()["content-type"] ?? "").startsWith("text/html")) continue;
    assert.equal(answer.status(), 200, `${url.href} answered ${answer.status()}`);
    for (const href of await page.$$eval("a[href]", (links) => links.filter((a) => !a.hasAttribute("download")).map((a) => new URL(a.getAttribute("href"), document.baseURI).href))) {
      const next = new URL(href);
      if (next.origin === url.origin && !/\.(csv|xlsx|svg|yaml|json)$|format=|\/api\//.test(next.href)) open.push(next);
    }
    await look(kind, url.href);
  }
  return seen;
}

/** Runs axe and gives its violations in words: of all its rules, or of the named ones.
 * Style sheets are fetched again only where that is asked for: one rule needs it
 * (css-orientation-lock), and all pages have the same sheet. */
export async function axe(page, runOnly, preload = false) {
  // The page's policy forbids injected scripts; evaluate runs outside of it.
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axeSource);
  const result = await page.evaluate((options) => globalThis.axe.run(document, options), { resultTypes: ["violations"], preload, ...(runOnly && { runOnly }) });
  return result.violations.map((v) => `${v.id}: ${v.help} at ${v.nodes.slice(0, 3).map((n) => n.target.join(" ") + (n.any[0] ? ` (${n.any[0].message})` : "")).join("; ")}`);
}

/** Says how far the page is wider than its window, in pixels. */
export async function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

export async function shoot(page, name) {
  if (!shots) return;
  await mkdir(shots, { recursive: true });
  await page.screenshot({ path: path.join(shots, name + ".png"), fullPage: true });
}

/** Looks at a page as people see it, in light and dark, on a desk and on a phone, and
 * tells what is wrong. */
export async function look(page, name) {
  const size = page.viewportSize();
  const faults = (await axe(page)).map((v) => `${name}: ${v}`);
  if ((await overflow(page)) > 0) faults.push(`${name} is wider than its window`);
  await shoot(page, name);
  // In the dark only colours differ, and on a phone only the widths.
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 360, height: 740 });
  for (const v of await axe(page, ["color-contrast", "link-in-text-block"])) faults.push(`${name} (dark, phone): ${v}`);
  const wide = await overflow(page);
  if (wide > 0) faults.push(`${name}: ${wide} px wider than a phone`);
  await shoot(page, name + ".phone");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(size);
  return faults;
}
