// A drawing of the server, made to walk in: nearer and farther, moved by dragging, and
// with one thing or flow and its neighbours standing out. Without this script it
// scrolls and its links lead on all the same. Its words come from the page.

const least = 0.3;
const most = 3;

function walk(figure: HTMLElement) {
  const box = figure.querySelector<HTMLElement>(".drawing-box");
  const svg = box?.querySelector<SVGSVGElement>("svg");
  const tools = figure.querySelector<HTMLElement>("[data-drawing-tools]");
  const pick = figure.querySelector<HTMLSelectElement>("[data-drawing-pick]");
  if (!box || !svg || !tools || !pick) return;
  const width = svg.viewBox.baseVal.width;
  const height = svg.viewBox.baseVal.height;
  let scale = 1;

  const zoom = (to: number, x = box.clientWidth / 2, y = box.clientHeight / 2) => {
    const before = scale;
    scale = Math.min(most, Math.max(least, to));
    svg.setAttribute("width", String(Math.round(width * scale)));
    svg.setAttribute("height", String(Math.round(height * scale)));
    box.scrollLeft = ((box.scrollLeft + x) * scale) / before - x;
    box.scrollTop = ((box.scrollTop + y) * scale) / before - y;
  };
  const act: Record<string, () => void> = {
    nearer: () => zoom(scale * 1.25),
    farther: () => zoom(scale / 1.25),
    whole: () => zoom(Math.min((box.clientWidth - 4) / width, 1)),
  };
  for (const button of tools.querySelectorAll<HTMLElement>("[data-drawing-do]")) {
    button.addEventListener("click", () => act[button.dataset.drawingDo!]?.());
  }
  box.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const what = e.key === "+" || e.key === "=" ? "nearer" : e.key === "-" ? "farther" : e.key === "0" ? "whole" : "";
    if (e.key === "Escape") choose("");
    else if (what) act[what]!();
    else return;
    e.preventDefault();
  });

  // Dragging moves; a press that does not move stays a click.
  let from: { x: number; y: number; left: number; top: number } | undefined;
  let moved = false;
  box.addEventListener("pointerdown", (e) => {
    if (e.button !== 0 || e.pointerType !== "mouse") return; // fingers scroll anyway
    from = { x: e.clientX, y: e.clientY, left: box.scrollLeft, top: box.scrollTop };
    moved = false;
  });
  window.addEventListener("pointermove", (e) => {
    if (!from) return;
    moved ||= Math.hypot(e.clientX - from.x, e.clientY - from.y) > 4;
    if (!moved) return;
    box.scrollLeft = from.left - (e.clientX - from.x);
    box.scrollTop = from.top - (e.clientY - from.y);
  });
  window.addEventListener("pointerup", () => (from = undefined));
  box.addEventListener("dragstart", (e) => e.preventDefault());
  box.addEventListener(
    "click",
    (e) => {
      if (!moved) return;
      e.preventDefault();
      e.stopPropagation();
      moved = false;
    },
    true,
  );

  // What stands out.
  const things = [...svg.querySelectorAll<SVGElement>("[data-thing]")];
  const edges = [...svg.querySelectorAll<SVGElement>("[data-edge]")];
  const title = (e: Element) => e.querySelector("title")?.textContent ?? "";
  const group = (label: string, entries: [string, string][]) => {
    const g = document.createElement("optgroup");
    g.label = label;
    for (const [value, text] of entries) g.append(new Option(text, value));
    if (entries.length > 0) pick.append(g);
  };
  const seen = new Set<string>();
  group(pick.dataset.things ?? "", things.map((t) => [`thing ${t.dataset.thing}`, title(t)]));
  group(
    pick.dataset.flows ?? "",
    edges.flatMap((e): [string, string][] => {
      if (seen.has(e.dataset.edge!) || !title(e)) return [];
      seen.add(e.dataset.edge!);
      return [[`edge ${e.dataset.edge}`, title(e)]];
    }),
  );

  const light = (what: string) => {
    const [kind, id] = [what.slice(0, what.indexOf(" ")), what.slice(what.indexOf(" ") + 1)];
    svg.classList.toggle("lighting", what !== "");
    const lit = new Set<string>();
    for (const e of edges) {
      const { from, to, edge } = e.dataset;
      const on = kind === "thing" ? from === id || to === id : edge === id;
      e.classList.toggle("lit", on);
      if (on) lit.add(from!).add(to!);
    }
    if (kind === "thing") lit.add(id);
    for (const t of things) t.classList.toggle("lit", lit.has(t.dataset.thing!));
  };
  let chosen = "";
  const choose = (what: string) => {
    chosen = what;
    pick.value = what;
    light(what);
  };
  pick.addEventListener("change", () => {
    choose(pick.value);
    const first = svg.querySelector<SVGElement>(".lit");
    if (pick.value && first) {
      const at = first.getBoundingClientRect();
      const window = box.getBoundingClientRect();
      box.scrollBy({ left: at.left + at.width / 2 - window.left - box.clientWidth / 2, top: at.top + at.height / 2 - window.top - box.clientHeight / 2 });
    }
  });
  for (const t of things) {
    const what = `thing ${t.dataset.thing}`;
    t.addEventListener("pointerenter", () => light(what));
    t.addEventListener("pointerleave", () => light(chosen));
    t.closest("a")?.addEventListener("focus", () => light(what));
    t.closest("a")?.addEventListener("blur", () => light(chosen));
  }
  for (const e of edges) {
    const what = `edge ${e.dataset.edge}`;
    e.addEventListener("pointerenter", () => light(what));
    e.addEventListener("pointerleave", () => light(chosen));
    e.addEventListener("click", () => choose(chosen === what ? "" : what));
  }
  tools.hidden = false;
}

for (const figure of document.querySelectorAll<HTMLElement>("[data-drawing]")) walk(figure);
