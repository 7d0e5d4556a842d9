// The chain as a graph: rings around ourselves, drawn on a canvas, because thousands
// of things are too many for a document. What it shows stands in the table of the
// page too. All its words come from the page or with the data.

import { type Box, View, movable } from "./parts/stage";

/** What is taken on the canvas, by a thing or by a name. */
type Taken = Box & { name?: boolean };
/** What a name may cover. */
type Over = "nothing" | "things" | "all";

type Row = [id: string, name: string, kind: number, ring: number, tier: number, x: number, y: number, path: string, needs: number, users: number, behind: string];

interface Data {
  kinds: string[];
  tiers: string[];
  rings: { name: string; inner: number; outer: number }[];
  things: Row[];
  links: [number, number][];
  choice: number[];
  left?: string;
}

interface Ways {
  ways: string[][];
  all: string[];
  alone: string[];
  words: string;
}

interface Thing {
  at: number;
  id: string;
  name: string;
  kind: number;
  ring: number;
  tier: number;
  x: number;
  y: number;
  path: string;
  behind: string;
  size: number;
  weight: number; // whose label goes first
}

const PROCESS = 1;
const sizes = [9, 10, 5.5, 8, 6.5, 6];
const mostListed = 12;
const mostFound = 8;

class Graph {
  private readonly canvas: HTMLCanvasElement;
  private readonly pen: CanvasRenderingContext2D;
  private readonly view: View;
  private readonly things: Thing[];
  private readonly byId = new Map<string, number>();
  private readonly needs: number[][];
  private readonly users: number[][];
  private readonly choice: Set<number>;
  private readonly byWeight: Thing[];
  private colours: Record<string, string> = {};
  private font = "12px sans-serif";
  private widths = new Map<string, number>();
  private chosen = -1;
  private found = new Set<number>();
  private reached = new Set<number>(); // what the process hangs on
  private alone = new Set<number>();
  private onWay = new Set<number>();
  private wayLinks = new Set<number>();
  private process = "";
  private waiting = false;
  private asked = 0;

  constructor(
    private readonly root: HTMLElement,
    private readonly data: Data,
  ) {
    this.canvas = root.querySelector("canvas")!;
    this.pen = this.canvas.getContext("2d", { alpha: false })!;
    this.view = new View(0.02, 6, () => this.draw());
    const degree = new Array<number>(data.things.length).fill(0);
    this.needs = data.things.map(() => []);
    this.users = data.things.map(() => []);
    data.links.forEach(([from, to], at) => {
      this.needs[from]!.push(at);
      this.users[to]!.push(at);
      degree[to]!++;
    });
    this.choice = new Set(data.choice);
    this.things = data.things.map(([id, name, kind, ring, tier, x, y, path, , , behind], at) => {
      this.byId.set(id, at);
      const weight = (kind === PROCESS ? 4000 : kind === 0 ? 3000 : kind === 3 ? 1000 : 0) + (tier >= 0 ? 400 - 100 * tier : 0) + degree[at]! - 40 * ring;
      return { at, id, name, kind, ring, tier, x, y, path, behind, size: sizes[kind] ?? 6, weight };
    });
    this.byWeight = [...this.things].sort((a, b) => b.weight - a.weight || a.at - b.at);
    root.hidden = false;
    this.readColours();
    this.resize();
    this.view.fit(this.whole());
    this.listen();
  }

  // What there is to see.

  private box(of: Iterable<number> = this.things.keys()): Box {
    const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
    for (const at of of) {
      const t = this.things[at]!;
      box.left = Math.min(box.left, t.x - 70); // its name is wider than itself
      box.right = Math.max(box.right, t.x + 70);
      box.top = Math.min(box.top, t.y - 30);
      box.bottom = Math.max(box.bottom, t.y + 30);
    }
    return box;
  }

  private whole(): Box {
    const box = this.box();
    const outer = (this.data.rings.at(-1)?.outer ?? 0) + 16;
    return { left: Math.min(box.left, -outer), top: Math.min(box.top, -outer), right: Math.max(box.right, outer), bottom: Math.max(box.bottom, outer) };
  }

  private readColours() {
    for (const swatch of this.root.querySelectorAll<HTMLElement>("[data-colour]")) {
      this.colours[swatch.dataset.colour!] = getComputedStyle(swatch).color;
    }
    this.font = `12px ${getComputedStyle(this.canvas).fontFamily}`;
    this.widths.clear();
  }

  private resize() {
    const { width, height } = this.canvas.getBoundingClientRect();
    const density = Math.min(window.devicePixelRatio || 1, 2);
    this.canvas.width = Math.max(1, Math.round(width * density));
    this.canvas.height = Math.max(1, Math.round(height * density));
    this.view.width = width;
    this.view.height = height;
  }

  // Drawing.

  private draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.paint();
    });
  }

  private paint() {
    const { pen, view, colours } = this;
    const density = this.canvas.width / Math.max(view.width, 1);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.fillStyle = colours.paper!;
    pen.fillRect(0, 0, this.canvas.width, this.canvas.height);
    const k = view.scale * density;
    pen.setTransform(k, 0, 0, k, (view.width / 2) * density - view.x * k, (view.height / 2) * density - view.y * k);
    this.paintRings();
    this.paintLinks();
    this.paintThings();
    pen.setTransform(density, 0, 0, density, 0, 0);
    this.paintNames();
    if (!this.canvas.dataset.drawn) {
      this.canvas.dataset.drawn = String(this.things.length);
      performance.mark("graph-drawn");
    }
  }

  private paintRings() {
    const { pen, view } = this;
    pen.strokeStyle = this.colours.line!;
    pen.globalAlpha = 0.4;
    pen.lineWidth = 1 / view.scale;
    this.data.rings.forEach((ring) => {
      pen.beginPath();
      pen.arc(0, 0, ring.outer + 4, 0, 2 * Math.PI);
      pen.stroke();
    });
    pen.globalAlpha = 1;
  }

  /** How large a thing is on the plane: from afar it does not shrink to nothing. */
  private size(t: Thing): number {
    return t.size * Math.max(1, (this.many ? 0.3 : 0.85) / this.view.scale);
  }

  private get many() {
    return this.things.length > 300;
  }

  /** Whether anything is asked that makes the rest step back. */
  private get asking() {
    return this.reached.size > 0 || this.chosen >= 0 || this.found.size > 0;
  }

  private lit(t: Thing): boolean {
    if (this.onWay.size > 0) return this.onWay.has(t.at) || t.at === this.chosen;
    if (this.found.size > 0) return this.found.has(t.at);
    if (this.reached.size > 0) return this.reached.has(t.at) || t.at === this.chosen;
    if (this.chosen >= 0) return t.at === this.chosen || this.near.has(t.at);
    return true;
  }

  private near = new Set<number>();

  private paintLinks() {
    const { pen, view, data, things } = this;
    const plain: number[] = [];
    const strong: number[] = [];
    const faint = this.asking;
    const [left, top] = view.toPlane(0, 0);
    const [right, bottom] = view.toPlane(view.width, view.height);
    data.links.forEach(([from, to], at) => {
      const a = things[from]!;
      const b = things[to]!;
      if (Math.max(a.x, b.x) < left || Math.min(a.x, b.x) > right || Math.max(a.y, b.y) < top || Math.min(a.y, b.y) > bottom) return;
      const marked = this.wayLinks.size > 0 ? this.wayLinks.has(at) : this.reached.size > 0 ? this.reached.has(from) && this.reached.has(to) : from === this.chosen || to === this.chosen;
      (marked ? strong : plain).push(at);
    });
    const trace = (links: number[], choice: boolean) => {
      pen.beginPath();
      for (const at of links) {
        if (this.choice.has(at) !== choice) continue;
        const [from, to] = data.links[at]!;
        pen.moveTo(things[from]!.x, things[from]!.y);
        pen.lineTo(things[to]!.x, things[to]!.y);
      }
      pen.stroke();
    };
    pen.strokeStyle = this.colours.line!;
    // Many lines at once become a grey ground; the fainter they are, the more one sees.
    pen.globalAlpha = (faint ? 0.25 : 0.75) * Math.min(1, Math.max(0.12, 1200 / Math.max(plain.length, 1)));
    pen.lineWidth = Math.max(0.8 / view.scale, 0.6);
    // Dashes cost much; with thousands of lines nobody could tell them apart.
    const dashes = plain.length < 1500;
    trace(plain, false);
    if (dashes) pen.setLineDash([4 / view.scale, 3 / view.scale]);
    trace(plain, true);
    pen.setLineDash([]);
    pen.globalAlpha = 1;
    pen.strokeStyle = this.colours.focus!;
    pen.lineWidth = Math.max((this.wayLinks.size > 0 ? 2.6 : 1.5) / view.scale, 0.8);
    trace(strong, false);
    pen.setLineDash([5 / view.scale, 3 / view.scale]);
    trace(strong, true);
    pen.setLineDash([]);
    if (view.scale > 0.3 && strong.length < 400) this.paintArrows(strong);
  }

  private paintArrows(links: number[]) {
    const { pen } = this;
    pen.fillStyle = this.colours.focus!;
    for (const at of links) {
      const [from, to] = this.data.links[at]!;
      const a = this.things[from]!;
      const b = this.things[to]!;
      const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
      const ux = (b.x - a.x) / length;
      const uy = (b.y - a.y) / length;
      const tip = this.size(b) + 3;
      const x = b.x - ux * tip;
      const y = b.y - uy * tip;
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(x - ux * 7 - uy * 3.4, y - uy * 7 + ux * 3.4);
      pen.lineTo(x - ux * 7 + uy * 3.4, y - uy * 7 - ux * 3.4);
      pen.fill();
    }
  }

  private shape(t: Thing, size: number) {
    const { pen } = this;
    const { x, y } = t;
    switch (t.kind) {
      case 0:
        pen.rect(x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8);
        return;
      case 1:
      case 2:
        pen.moveTo(x + size, y);
        pen.arc(x, y, size, 0, 2 * Math.PI);
        return;
      case 3:
        pen.moveTo(x, y - size * 1.15);
        pen.lineTo(x + size * 1.15, y);
        pen.lineTo(x, y + size * 1.15);
        pen.lineTo(x - size * 1.15, y);
        break;
      case 4:
        pen.moveTo(x, y - size);
        pen.lineTo(x + size, y + size * 0.85);
        pen.lineTo(x - size, y + size * 0.85);
        break;
      default:
        pen.moveTo(x - size, y);
        pen.lineTo(x - size / 2, y - size * 0.87);
        pen.lineTo(x + size / 2, y - size * 0.87);
        pen.lineTo(x + size, y);
        pen.lineTo(x + size / 2, y + size * 0.87);
        pen.lineTo(x - size / 2, y + size * 0.87);
    }
    pen.closePath();
  }

  private paintThings() {
    const { pen, view, things } = this;
    const tiers = ["critical", "important", "standard", "low"];
    const layers = new Map<string, Thing[]>();
    const [left, top] = view.toPlane(-20, -20);
    const [right, bottom] = view.toPlane(view.width + 20, view.height + 20);
    for (const t of things) {
      if (t.x < left || t.x > right || t.y < top || t.y > bottom) continue;
      const colour = t.tier >= 0 ? tiers[t.tier]! : t.at === 0 ? "focus" : "thing";
      const layer = (this.lit(t) ? "1" : "0") + colour;
      if (!layers.has(layer)) layers.set(layer, []);
      layers.get(layer)!.push(t);
    }
    for (const [layer, members] of [...layers].sort()) {
      pen.globalAlpha = layer[0] === "1" ? 1 : 0.3;
      const solid = layer.slice(1) !== "thing";
      pen.fillStyle = solid ? this.colours[layer.slice(1)]! : this.colours.paper!;
      pen.strokeStyle = solid ? this.colours.paper! : this.colours.thing!;
      pen.lineWidth = solid ? 1 : Math.max(1.4, 0.8 / view.scale);
      pen.beginPath();
      for (const t of members) this.shape(t, this.size(t));
      pen.fill();
      pen.stroke();
    }
    pen.globalAlpha = 1;
    const rim = (which: Iterable<number>, colour: string, more: number, width: number) => {
      pen.strokeStyle = this.colours[colour]!;
      pen.lineWidth = Math.max(width, width / view.scale / 1.5);
      pen.beginPath();
      for (const at of which) this.shape(things[at]!, this.size(things[at]!) + more * Math.max(1, 0.7 / view.scale));
      pen.stroke();
    };
    rim(this.alone, "alone", 4, 2);
    rim(this.onWay, "focus", 1, 2.2);
    rim(this.found, "focus", 3, 2);
    if (this.chosen >= 0) rim([this.chosen], "ink", 6, 2);
    const process = this.byId.get(this.process);
    if (process !== undefined) rim([process], "focus", 3, 3);
  }

  private width(name: string): number {
    let width = this.widths.get(name);
    if (width === undefined) {
      width = this.pen.measureText(name).width;
      this.widths.set(name, width);
    }
    return width;
  }

  /** Writes as many names as fit without covering one another, the weightiest first. */
  private paintNames() {
    const { pen, view } = this;
    pen.font = this.font;
    pen.textAlign = "center";
    pen.textBaseline = "alphabetic";
    pen.lineJoin = "round";
    const cell = 24;
    const taken = new Map<number, Taken[]>();
    const cells = (b: Box) => {
      const keys: number[] = [];
      for (let cx = Math.floor(b.left / cell); cx <= b.right / cell; cx++) {
        for (let cy = Math.floor(b.top / cell); cy <= b.bottom / cell; cy++) keys.push(cx * 10_000 + cy);
      }
      return keys;
    };
    const free = (b: Box, over: Over) => over === "all" || !cells(b).some((key) => taken.get(key)?.some((o) => (over === "nothing" || o.name) && b.left < o.right && o.left < b.right && b.top < o.bottom && o.top < b.bottom));
    const take = (b: Taken) => {
      for (const key of cells(b)) {
        const list = taken.get(key);
        if (list) list.push(b);
        else taken.set(key, [b]);
      }
    };
    const write = (name: string, at: number, y: number, colour: string, over: Over): boolean => {
      const half = this.width(name) / 2 + 3;
      // What stands near the edge has its name inside all the same.
      const x = at > 0 && at < view.width ? Math.min(Math.max(at, half), Math.max(view.width - half, half)) : at;
      const box = { left: x - half, right: x + half, top: y - 11, bottom: y + 4, name: true };
      if (box.right < 0 || box.left > view.width || box.bottom < 0 || box.top > view.height) return false;
      if (!free(box, over)) return false;
      take(box);
      pen.strokeStyle = this.colours.paper!;
      pen.lineWidth = 4;
      pen.strokeText(name, x, y);
      pen.fillStyle = this.colours[colour]!;
      pen.fillText(name, x, y);
      return true;
    };
    const below = (t: Thing, must = false) => {
      const [x, y] = view.toScreen(t.x, t.y);
      const name = shortened(t.name);
      const colour = this.lit(t) ? "ink" : "soft";
      const size = this.size(t) * view.scale;
      const aside = size + this.width(name) / 2 + 6;
      if (must) return write(name, x, y + size + 14, colour, "all");
      const places = [[0, size + 14], [0, -size - 6], [aside, 4], [-aside, 4]] as const;
      if (places.some(([dx, dy]) => write(name, x + dx, y + dy, colour, "nothing"))) return true;
      // The middle is crowded: the name of a process may cover things, but no other name.
      const lines = [size + 14, -size - 6, size + 30, -size - 22, size + 46, -size - 38];
      return t.kind === PROCESS && !this.many && this.lit(t) && lines.some((dy) => write(name, x, y + dy, colour, "things"));
    };
    // Where there are few things, no name covers one.
    if (!this.many) {
      for (const t of this.things) {
        const [x, y] = view.toScreen(t.x, t.y);
        const size = this.size(t) * view.scale;
        take({ left: x - size, right: x + size, top: y - size, bottom: y + size });
      }
    }
    if (this.chosen >= 0) below(this.things[this.chosen]!, true);
    pen.font = `600 ${this.font}`;
    for (const ring of this.data.rings) {
      const [x, y] = view.toScreen(0, -(ring.outer + 4));
      write(ring.name, x, y + 4, "soft", "nothing");
    }
    pen.font = this.font;
    if (this.many && view.scale < 0.25 && !this.asking) return this.few(below);
    // What is asked about goes before the rest.
    for (const t of this.byWeight) if (this.asking && this.lit(t)) below(t);
    const enough = !this.many || view.scale >= 0.5;
    if (enough) for (const t of this.byWeight) if (!this.asking || !this.lit(t)) if (!this.asking || this.onWay.size === 0) below(t);
  }

  private few(below: (t: Thing) => boolean) {
    let written = 0;
    for (const t of this.byWeight.slice(0, 200)) if (below(t) && ++written === 25) return;
  }

  // Choosing.

  private at(x: number, y: number): number {
    const [px, py] = this.view.toPlane(x, y);
    let best = -1;
    let nearest = Math.max(18 / this.view.scale, 12);
    for (const t of this.things) {
      const d = Math.hypot(t.x - px, t.y - py);
      if (d < nearest) [best, nearest] = [t.at, d];
    }
    return best;
  }

  choose(at: number) {
    this.chosen = at;
    this.near = new Set(at < 0 ? [] : [...this.needs[at]!.map((l) => this.data.links[l]![1]), ...this.users[at]!.map((l) => this.data.links[l]![0])]);
    this.tell();
    if (at >= 0) {
      const t = this.things[at]!;
      this.view.reveal(t.x, t.y);
      if (this.view.scale < 0.35) this.view.zoom(0.6 / this.view.scale, ...this.view.toScreen(t.x, t.y));
    }
    if (this.process) void this.ask(at >= 0 && this.things[at]!.id !== this.process ? this.things[at]!.id : "");
    this.draw();
  }

  private part<T extends HTMLElement>(name: string): T {
    return this.root.querySelector<T>(`[data-graph-${name}]`)!;
  }

  /** Says in words what is chosen. */
  private tell() {
    const side = this.part("chosen");
    side.hidden = this.chosen < 0;
    this.part("none").hidden = this.chosen >= 0;
    if (this.chosen < 0) return;
    const t = this.things[this.chosen]!;
    const name = this.part<HTMLAnchorElement>("name");
    name.textContent = t.name;
    if (t.path) name.href = t.path;
    else name.removeAttribute("href");
    this.part("what").textContent = this.words(t);
    const ask = this.part<HTMLAnchorElement>("ask");
    ask.hidden = t.kind !== PROCESS && !this.process;
    ask.textContent = (t.kind === PROCESS ? ask.dataset.to : ask.dataset.from) ?? "";
    const to = new URL(location.href);
    to.hash = "";
    to.searchParams.set(t.kind === PROCESS ? "process" : "from", t.id);
    if (t.kind === PROCESS) to.searchParams.delete("from");
    ask.href = to.href;
    this.fill("needs", this.needs[t.at]!.map((l) => this.data.links[l]![1]));
    this.fill("users", this.users[t.at]!.map((l) => this.data.links[l]![0]));
  }

  /** Kind, ring, tier and who is behind a thing. */
  private words(t: Thing): string {
    const words = [this.data.kinds[t.kind], this.data.rings[t.ring]?.name, t.tier >= 0 ? this.data.tiers[t.tier] : "", t.behind];
    return words.filter(Boolean).join(" · ");
  }

  private fill(which: string, places: number[]) {
    const unique = [...new Set(places)];
    this.root.querySelector(`[data-graph-count="${which}"]`)!.textContent = String(unique.length);
    const list = this.root.querySelector<HTMLElement>(`[data-graph-list="${which}"]`)!;
    list.replaceChildren(...unique.slice(0, mostListed).map((at) => item(this.button(at))));
    if (unique.length > mostListed) {
      const more = document.createElement("span");
      more.className = "soft small";
      more.textContent = (this.part("chosen").dataset.more ?? "").replace("%d", String(unique.length - mostListed));
      list.append(item(more));
    }
  }

  private button(at: number): HTMLButtonElement {
    const t = this.things[at]!;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button plain";
    button.textContent = t.name;
    button.title = this.words(t);
    button.addEventListener("click", () => {
      this.choose(at);
      this.canvas.focus({ preventScroll: true });
    });
    return button;
  }

  // Searching.

  private search(text: string) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = words.length === 0 ? [] : this.byWeight.filter((t) => words.every((w) => t.name.toLowerCase().includes(w)));
    this.found = new Set(matches.map((t) => t.at));
    const box = this.part("found");
    const list = box.querySelector("ul")!;
    list.replaceChildren(
      ...matches.slice(0, mostFound).map((t) => {
        const line = item(this.button(t.at));
        const what = document.createElement("span");
        what.className = "soft small";
        what.textContent = " " + this.words(t);
        line.append(what);
        return line;
      }),
    );
    const rest = matches.length - mostFound;
    box.querySelector("p")!.textContent = words.length > 0 && matches.length === 0 ? (box.dataset.none ?? "") : rest > 0 ? (box.dataset.more ?? "").replace("%d", String(rest)) : "";
    if (matches.length > 0) this.view.fit(this.box(this.found));
    this.draw();
  }

  // Paths to a process.

  async ask(from: string, keepWords = false) {
    const turn = ++this.asked;
    const url = new URL(this.root.dataset.ways!, location.href);
    url.searchParams.set("process", this.process);
    if (from) url.searchParams.set("from", from);
    const scope = new URL(location.href).searchParams.get("scope");
    if (scope) url.searchParams.set("scope", scope);
    const answer = await fetch(url, { headers: { Accept: "application/json" }, redirect: "error" });
    if (!answer.ok || turn !== this.asked) return;
    const ways = (await answer.json()) as Ways;
    if (turn !== this.asked) return;
    const places = (ids: string[]) => ids.map((id) => this.byId.get(id)).filter((at) => at !== undefined);
    this.reached = new Set(places([this.process, ...ways.all]));
    this.alone = new Set(places(ways.alone));
    this.onWay = new Set(ways.ways.flatMap(places));
    this.wayLinks = new Set();
    const steps = new Set(ways.ways.flatMap((way) => way.slice(1).map((id, i) => `${way[i]} ${id}`)));
    this.data.links.forEach(([a, b], at) => {
      if (steps.has(`${this.things[a]!.id} ${this.things[b]!.id}`)) this.wayLinks.add(at);
    });
    if (!keepWords) {
      const page = document.querySelector<HTMLElement>("[data-graph-ways]");
      if (page) page.innerHTML = ways.words; // made and escaped by the node
      const here = new URL(location.href);
      if (from) here.searchParams.set("from", from);
      else here.searchParams.delete("from");
      history.replaceState(null, "", here);
    }
    this.draw();
  }

  /** Shows the question that the page was opened with. */
  async begin() {
    const { process, from } = this.root.dataset;
    if (from && this.byId.has(from)) {
      this.chosen = this.byId.get(from)!;
      this.near = new Set();
      this.tell();
    }
    if (!process || !this.byId.has(process)) return;
    this.process = process;
    await this.ask(from ?? "", true);
    this.view.fit(this.box(this.onWay.size > 0 ? this.onWay : this.reached));
  }

  // Hands.

  private listen() {
    movable(this.canvas, this.view, (x, y) => this.choose(this.at(x, y)));
    this.canvas.addEventListener("keydown", (e) => this.key(e));
    for (const button of this.root.querySelectorAll<HTMLElement>("[data-graph-do]")) {
      button.addEventListener("click", () => this.act(button.dataset.graphDo!));
    }
    const find = this.part<HTMLInputElement>("find");
    find.addEventListener("input", () => this.search(find.value));
    find.addEventListener("keydown", (e) => {
      if (e.key !== "Enter") return;
      e.preventDefault();
      const first = this.byWeight.find((t) => this.found.has(t.at));
      if (!first) return;
      this.choose(first.at);
      this.canvas.focus({ preventScroll: true });
    });
    new ResizeObserver(() => {
      this.resize();
      this.draw();
    }).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.readColours();
      this.draw();
    });
  }

  private act(what: string) {
    if (what === "nearer") this.view.zoom(1.4);
    else if (what === "farther") this.view.zoom(1 / 1.4);
    else this.view.fit(this.whole());
  }

  private key(e: KeyboardEvent) {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const step: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = step[e.key];
    if (way && e.shiftKey) this.view.move(-60 * way[0], -60 * way[1]);
    else if (way) this.walk(way[0], way[1]);
    else if (e.key === "+" || e.key === "=") this.act("nearer");
    else if (e.key === "-" || e.key === "−") this.act("farther");
    else if (e.key === "0") this.act("whole");
    else if (e.key === "Escape" && this.chosen >= 0) this.choose(-1);
    else if (e.key === "Enter" && this.chosen >= 0 && this.things[this.chosen]!.path) location.assign(this.things[this.chosen]!.path);
    else return;
    e.preventDefault();
  }

  /** Goes to the nearest thing in a direction; at first to the middle. */
  private walk(dx: number, dy: number) {
    if (this.chosen < 0) {
      this.choose(this.byId.get(this.process) ?? 0);
      return;
    }
    const here = this.things[this.chosen]!;
    let best = -1;
    let least = Infinity;
    for (const t of this.things) {
      const along = (t.x - here.x) * dx + (t.y - here.y) * dy;
      const across = Math.abs((t.x - here.x) * dy) + Math.abs((t.y - here.y) * dx);
      if (t.at === here.at || along <= 0.5 || across > 2 * along) continue;
      const cost = along + 1.5 * across;
      if (cost < least) [best, least] = [t.at, cost];
    }
    if (best >= 0) this.choose(best);
  }
}

function shortened(name: string): string {
  return name.length > 34 ? name.slice(0, 33).trimEnd() + "…" : name;
}

function item(...content: HTMLElement[]): HTMLLIElement {
  const li = document.createElement("li");
  li.append(...content);
  return li;
}

async function start(root: HTMLElement) {
  const answer = await fetch(root.dataset.source!, { headers: { Accept: "application/json" }, redirect: "error" });
  if (!answer.ok) throw new Error(String(answer.status));
  const data = (await answer.json()) as Data;
  if (data.things.length < 2) return;
  document.querySelector<HTMLElement>("[data-graph-still]")?.classList.add("print-only");
  const graph = new Graph(root, data);
  root.querySelector<HTMLElement>("[data-graph-left]")!.textContent = data.left ?? "";
  await graph.begin();
}

for (const root of document.querySelectorAll<HTMLElement>("[data-graph]")) {
  start(root).catch(() => {
    root.hidden = true;
    document.querySelector<HTMLElement>("[data-graph-still]")?.classList.remove("print-only");
    document.querySelector<HTMLElement>("[data-graph-failed]")?.removeAttribute("hidden");
  });
}
