// Measures the graph in Chromium: from the navigation until it is drawn for the first
// time, with nothing in the browser's cache. The bench of the program runs it:
//   node bench-graph.mjs ADDRESS EMAIL PASSWORD [LOADS]
// It prints one line of JSON: how many things were drawn, and the milliseconds of each load.
import { openPage, signIn, startBrowser } from "./entente.mjs";

const [address, email, password, loads = "5"] = process.argv.slice(2);
const browser = await startBrowser();
try {
  const times = [];
  let things = 0;
  for (let i = 0; i < Number(loads); i++) {
    const page = await openPage(browser); // a context of its own: nothing is cached
    await signIn(page, { address }, { email, password });
    const home = new URL(page.url()).pathname;
    await page.goto(address + home + "/graph", { waitUntil: "commit" });
    await page.waitForSelector("canvas[data-drawn]");
    const [at, drawn] = await page.evaluate(() => [performance.getEntriesByName("graph-drawn")[0].startTime, Number(document.querySelector("canvas").dataset.drawn)]);
    if (page.faults.length > 0) throw new Error(page.faults.join("\n"));
    times.push(at);
    things = drawn;
    await page.context().close();
  }
  console.log(JSON.stringify({ things, times }));
} finally {
  await browser.close();
}
