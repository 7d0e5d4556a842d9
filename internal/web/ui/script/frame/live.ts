import { element, say } from "./say";

interface Item {
  text: string;
  show: string;
  href?: string;
}

interface News {
  seq: number;
  events: { kind: string }[];
  news: Item[];
}

/** Follows what happens in the organisation while the page is looked at: tells the
 * news in a bar, and puts the page's live parts in anew. */
export function follow(): void {
  const bar = document.getElementById("news");
  const address = bar?.dataset.live;
  if (!bar || !address) return;
  let seen = Number(bar.dataset.after ?? "0"); // what the page shows
  let told = seen; // what the stream told last
  let source: EventSource | null = null;
  let again = 0;
  let wait = 0;

  const listen = () => {
    clearTimeout(again);
    if (source || document.hidden) return;
    source = new EventSource(`${address}?after=${told}`);
    source.addEventListener("message", (event) => {
      told = Math.max(told, Number(event.lastEventId) || 0);
      clearTimeout(wait);
      // What belongs together arrives together: an advisory, and what it matches.
      wait = window.setTimeout(read, 250);
    });
    source.addEventListener("error", () => {
      if (source?.readyState !== EventSource.CLOSED) return; // it comes back by itself
      leave();
      again = window.setTimeout(listen, 60_000);
    });
  };
  const leave = () => {
    source?.close();
    source = null;
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : listen()));
  addEventListener("pagehide", leave);
  addEventListener("pageshow", listen);

  const read = async () => {
    try {
      const answer = await fetch(`${address}?after=${seen}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const news = (await answer.json()) as News;
      if (news.seq <= seen) return;
      seen = news.seq;
      for (const item of news.news ?? []) tell(bar, item);
      await refresh(news.events ?? []);
    } catch {
      // The next event asks again for everything since then.
    }
  };
  listen();
}

const most = 3;

function tell(bar: HTMLElement, item: Item): void {
  const away = element("button", { type: "button", class: "button plain" }, bar.dataset.away ?? "");
  const line = element("div", { class: "news" }, element("p", {}, item.text), element("a", { href: item.href ?? location.href }, item.show), away);
  away.addEventListener("click", () => line.remove());
  bar.append(line);
  while (bar.children.length > most) bar.firstElementChild?.remove();
  say(item.text);
}

/** Fetches the page as it is now and puts its live parts in the place of the old ones. */
async function refresh(events: { kind: string }[]): Promise<void> {
  const parts = [...document.querySelectorAll<HTMLElement>("[data-follows]")].filter((part) =>
    (part.dataset.follows ?? "").split(" ").some((begins) => events.some((e) => e.kind.startsWith(begins + "."))),
  );
  if (parts.length === 0) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parts) {
    const fresh = page.getElementById(part.id);
    if (!fresh || touched(part) || fresh.innerHTML === part.innerHTML) continue;
    const focused = place(part);
    part.replaceChildren(...[...fresh.childNodes].map((n) => document.importNode(n, true)));
    focused?.()?.focus({ preventScroll: true });
  }
}

/** Whether somebody typed or ticked something in a part: then it stays as it is. */
function touched(part: HTMLElement): boolean {
  for (const field of part.querySelectorAll<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>("input, textarea, select")) {
    if (field instanceof HTMLSelectElement) {
      const standard = [...field.options].find((o) => o.defaultSelected) ?? field.options[0];
      if (standard && !standard.selected) return true;
    } else if (field.value !== field.defaultValue) return true;
    else if (field instanceof HTMLInputElement && field.checked !== field.defaultChecked) return true;
  }
  return [...part.querySelectorAll<HTMLElement>("[popover], dialog")].some((e) => e.matches(":popover-open, [open]"));
}

/** Remembers what in a part has the focus, and finds it again afterwards. */
function place(part: HTMLElement): (() => HTMLElement | undefined) | undefined {
  const now = document.activeElement as HTMLElement | null;
  if (!now || now === part || !part.contains(now)) return undefined;
  const name = (e: Element) => [e.tagName, e.id, e.getAttribute("href"), e.getAttribute("name"), e.getAttribute("value"), e.textContent].join("\n");
  const wanted = name(now);
  const address = now.getAttribute("href") ?? now.getAttribute("name");
  return () => {
    const alike = [...part.querySelectorAll<HTMLElement>(now.tagName)];
    // A link may say another number by now.
    return alike.find((e) => name(e) === wanted) ?? alike.find((e) => address !== null && [e.getAttribute("href"), e.getAttribute("name")].includes(address)) ?? part;
  };
}
