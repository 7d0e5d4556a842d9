// Reads every kind of page in en-XA, the language that is made up for tests: its words
// are longer and spelled with accents. The map that is shown is spelled in Cyrillic
// letters, so that a plain English word on a page is a text that no catalogue holds.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, crawl, openPage, overflow, root, run, shoot, signIn, start, startBrowser } from "./entente.mjs";

const email = "owner@beanline.example";
const password = "beans-for-every-desk";
const demo = path.join(root, "catalog/demo");

let folder, node, browser, known;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "entente-pseudo-"));
  const map = spelled(await run(["export", "map", "--demo"]));
  await writeFile(path.join(folder, "map.yaml"), map);
  const advisories = path.join(folder, cyrillic("advisories"));
  await mkdir(advisories);
  known = words(map, /[\w.*@:/+-]+/g);
  for (const name of await readdir(path.join(demo, "advisories"))) {
    const advisory = JSON.parse(await readFile(path.join(demo, "advisories", name), "utf8"));
    for (const key of ["summary", "details"]) advisory[key] = cyrillic(advisory[key] ?? "");
    const text = JSON.stringify(advisory);
    for (const word of words(text, /"([^"]+)"/g)) known.add(word);
    await writeFile(path.join(advisories, name), text);
  }
  for (const name of await readdir(path.join(demo, "sboms"))) {
    const text = await readFile(path.join(demo, "sboms", name), "utf8");
    for (const pattern of [/"(?:name|version|versionInfo|purl|packageVersion|software_packageVersion|created|serialNumber|spdxId|SPDXID|group|bom-ref|documentNamespace|supplier|originator|creators?|vendor)"\s*:\s*\[?\s*"([^"]+)"/g, /<(?:name|version|purl|group)>([^<]+)</g, /^(?:PackageName|PackageVersion|DocumentName|DocumentNamespace|Creator|PackageSupplier): (.+)$/gm]) {
      for (const word of words(text, pattern)) known.add(word);
    }
    for (const [purl] of text.matchAll(/pkg:[^"<\s]+/g)) for (const part of purl.split(/[:/@?&#]|%40/)) known.add(part);
    known.add(name);
  }
  const data = path.join(folder, "node");
  await mkdir(data);
  const serve = () => start(["serve", "--data", data, "--addr", "127.0.0.1:0"], () => true, {
    ENTENTE_ORGANISATION: cyrillic("Beanline"), ENTENTE_OWNER_NAME: cyrillic("Owner"), ENTENTE_OWNER_EMAIL: email, ENTENTE_OWNER_PASSWORD: password,
  });
  node = await serve(); // sets the node up
  await node.stop();
  await run(["import", "map", "--data", data, path.join(folder, "map.yaml")]);
  await run(["import", "sbom", "--data", data, path.join(demo, "sboms")]);
  await run(["import", "advisories", "--data", data, advisories]);
  node = await serve();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await node?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Spells what people wrote into the map in Cyrillic letters; identifiers stay. */
function spelled(map) {
  return map.split("\n").map((line) => {
    if (/^\s*#/.test(line)) return "";
    const value = line.includes("{") ? "[^,{}\\]]+" : ".+";
    line = line.replace(new RegExp(`\\b(name|note|category|description|owner|role|interface|protocol): (${value})`, "g"), (_, key, text) => `${key}: ${cyrillic(text)}`);
    if (/\bfrom: .*\bto: /.test(line)) line = line.replace(/\bdata: (\[[^\]]*\])/, (_, list) => `data: ${cyrillic(list)}`);
    return line;
  }).join("\n");
}

function cyrillic(text) {
  const small = "абцдефгхийклмнопярстувшжыз";
  return text.replace(/[a-z]/gi, (c) => {
    const spelling = small[c.toLowerCase().charCodeAt(0) - 97];
    return c === c.toLowerCase() ? spelling : spelling.toUpperCase();
  });
}

/** The words of data: whole values, and their parts between blanks. */
function words(text, pattern) {
  const found = new Set();
  for (const match of text.matchAll(pattern)) {
    const value = match[1] ?? match[0];
    for (const word of [value, ...value.split(/[\s"]+/)]) found.add(trimmed(word));
  }
  return found;
}

const trimmed = (word) => word.replace(/^[^\p{L}\d]+|[^\p{L}\d]+$/gu, "");

// What is spelled alike in every language.
const everywhere = [
  /^https?:/, /^pkg:/, /^urn:/, /^CVSS:/, /^CWE-\d+$/, /^UTC$/, /^sha\d+:/i, /^[\da-f]{7,}$/, /^[\da-f]+(-[\da-f]+)+$/, /^[\w.-]+@[\w.-]+$/,
  /^v?\d[\w.+~-]*$/, /^\d+([.,:/-]\d+)*$/, /^Entente$/, /^[kMG]B$/, /^EUR$/, /^ent1[a-km-z2-9]{32}$/,
  /^(SPDX|CycloneDX|json|json-ld|tag-value|xml|CSV|XLSX|Chrome|Linux)$/, // names of formats and programs
  /^(TLP|PAP):(CLEAR|GREEN|AMBER(\+STRICT)?|RED)$/, // labels
  /^(apk|bitnami|cargo|composer|conan|cran|deb|gem|generic|github|golang|hackage|hex|maven|nuget|oci|pub|pypi|rpm|swift)$/, // types of package URLs
];

/** Says which texts of a page are plain English: those with a word that is no data. */
async function english(page, data) {
  const texts = await page.evaluate(() => {
    const found = [];
    const skipped = (e) => e.closest("script, style, template, [translate=no]");
    const note = (e, how, text) => {
      if (text && /[A-Za-z]{3}/.test(text) && !skipped(e)) found.push({ how, text: text.trim().replace(/\s+/g, " ") });
    };
    note(document.documentElement, "title", document.title);
    const walk = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const e = walk.currentNode.parentElement;
      if (e.localName !== "title" || e.closest("svg")) note(e, `<${e.localName}>`, walk.currentNode.data);
    }
    for (const e of document.querySelectorAll("*")) {
      for (const a of ["title", "placeholder", "aria-label", "aria-description", "alt", "data-label"]) note(e, `${a} of <${e.localName}>`, e.getAttribute(a));
      for (const [name, value] of Object.entries(e.dataset)) if (/^say/.test(name)) note(e, `data-${name} of <${e.localName}>`, value);
      if (e.localName === "input" && ["submit", "button", "reset"].includes(e.type)) note(e, "value of <input>", e.value);
    }
    return found;
  });
  const isData = (word) => !/[A-Za-z]{3}/.test(word) || data.has(word) || everywhere.some((p) => p.test(word));
  return texts.flatMap(({ how, text }) => {
    const plain = text.split(/[\s()„“"”]+/).map(trimmed).filter((w) => !isData(w) && !w.split(/[,;:=<>|…]|\/(?!\/)|→/).map(trimmed).every(isData));
    return plain.length > 0 ? [`${how}: “${text.slice(0, 160)}” has ${plain.slice(0, 5).join(", ")}`] : [];
  });
}

test("a text that no catalogue holds is found, and data is not", { timeout: 900_000 }, async () => {
  const page = await openPage(browser);
  await page.setContent(`<html lang="en"><title>Šûþþĺîéŕš·· · Hard title</title>
    <p>Šûþþĺîéŕš··</p><p>Hard text</p><p>log4j-core 2.14.1, CVE-2021-44228, 12.5 MB, ${email}</p>
    <p translate="no">Left alone</p><button aria-label="Hard label">×</button><input placeholder="Hard hint"><img alt="Hard picture" src="data:,">
    <span title="Hard tip">Кофе</span><svg><title>Hard drawing</title></svg><p data-say-done="Hard script"></p><input type="submit" value="Hard button">`);
  const found = await english(page, new Set(["log4j-core", "CVE-2021-44228"]));
  assert.deepEqual(found.map((f) => f.match(/“(.*)”/)[1]).sort(), [
    "Hard button", "Hard drawing", "Hard hint", "Hard label", "Hard picture", "Hard script", "Hard text", "Hard tip", "Šûþþĺîéŕš·· · Hard title",
  ]);
});

/** Records an advisory anew that is odd and withdrawn, and reads what pages say of it:
 * what was odd, and why its matches were what they were. */
async function afterAChange(page, advisories, told) {
  const faults = [];
  const look = async (what) => {
    for (const f of await english(page, known)) if (!told.has(f)) faults.push(`${what}: ${f}`);
    for (const v of await axe(page)) faults.push(`${what}: ${v}`);
    await page.setViewportSize({ width: 360, height: 740 });
    const wide = await overflow(page);
    if (wide > 0) faults.push(`${what}: ${wide} px wider than a phone`);
    await page.setViewportSize({ width: 1280, height: 900 });
    await shoot(page, "pseudo-" + what);
  };
  const id = "GHSA-jfh8-c2jp-5v3q";
  known.add(id + ".json");
  const record = JSON.parse(await readFile(path.join(folder, cyrillic("advisories"), id + ".json"), "utf8"));
  Object.assign(record, { modified: "2026-02-03T00:00:00Z", withdrawn: "2026-02-03T00:00:00Z", published: cyrillic("some day"), severity: cyrillic("high") });
  await page.goto(advisories.replace(/advisories$/, "record-advisories"));
  await page.setInputFiles("input[type=file]", { name: id + ".json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(record)) });
  await Promise.all([page.waitForNavigation(), page.click("main button[type=submit]")]);
  await page.waitForSelector("#oddities td");
  assert.equal(await page.locator("#oddities tbody tr").count(), 2, "not every oddity is told");
  await look("oddities");
  await page.waitForFunction(async (address) => (await (await fetch(address)).text()).includes('id="history"'), `${advisories}/${id}`, { timeout: 180_000, polling: 500 });
  await page.goto(`${advisories}/${id}`);
  await page.waitForSelector("#history td li");
  await look("history");
  return faults;
}

test("no page has a text that no catalogue holds, and every page bears longer words", { timeout: 900_000 }, async () => {
  const page = await openPage(browser, { locale: "en-XA", extraHTTPHeaders: { "Accept-Language": "en-XA" } });
  await page.goto(node.address + "/sign-in");
  assert.equal(await page.getAttribute("html", "lang"), "en-XA");
  const faults = [];
  const told = new Set();
  // Accessible they are in any language (pages.test.mjs); longer words make them wider.
  const look = async (kind) => {
    for (const f of await english(page, known)) {
      if (!told.has(f)) faults.push(`${kind}: ${f}`);
      told.add(f); // the frame is on every page
    }
    await page.setViewportSize({ width: 360, height: 740 });
    const wide = await overflow(page);
    if (wide > 0) faults.push(`${kind}: ${wide} px wider than a phone`);
    await shoot(page, "pseudo" + kind.replaceAll("/", "_").replaceAll("*", "x").replaceAll("?", "-"));
    await page.setViewportSize({ width: 1280, height: 900 });
  };
  await look("/sign-in");
  await page.goto(node.address + "/not-there");
  await look("/not-there");
  await signIn(page, node, { email, password });
  known.add(new URL(page.url()).pathname.split("/")[2]); // the organisation's identifier
  const pages = await crawl(page, page.url(), look);
  assert.ok(pages.size > 90, `only ${pages.size} kinds of pages were found`);
  faults.push(...(await afterAChange(page, new URL(pages.get("/o/*/advisories") ?? [...pages.values()].find((u) => u.endsWith("/advisories"))).href, told)));
  faults.push(...page.faults.filter((f) => !f.includes("404")));
  assert.equal(faults.length, 0, `${faults.length} faults:\n` + faults.join("\n"));
});
