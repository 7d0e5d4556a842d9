import { element } from "./say";

interface Hit {
  name: string;
  note?: string;
  href: string;
}

interface Answer {
  said: string;
  groups: { name: string; hits: Hit[]; all?: string }[] | null;
}

/** The search that Ctrl K or ⌘ K opens on every page: results as one types. */
export function find(): void {
  const dialog = document.getElementById("find") as HTMLDialogElement | null;
  const field = document.getElementById("find-q") as HTMLInputElement | null;
  const list = document.getElementById("find-list");
  const status = document.getElementById("find-said");
  if (!dialog || !field || !list || !status) return;
  const at = field.form?.action ?? "";
  let options: HTMLElement[] = [];
  let chosen = -1;
  let under: AbortController | null = null;
  let wait = 0;

  const choose = (n: number) => {
    options[chosen]?.setAttribute("aria-selected", "false");
    chosen = n;
    const option = options[chosen];
    if (!option) {
      field.removeAttribute("aria-activedescendant");
      return;
    }
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", option.id);
  };

  const empty = () => {
    list.replaceChildren();
    list.hidden = true;
    options = [];
    choose(-1);
    field.setAttribute("aria-expanded", "false");
  };

  const show = (answer: Answer) => {
    empty();
    for (const [g, group] of (answer.groups ?? []).entries()) {
      const name = element("div", { class: "find-group", id: `find-g${g}` }, group.name);
      const part = element("div", { role: "group", "aria-labelledby": name.id }, name);
      for (const hit of group.hits) {
        const option = element("div", { role: "option", id: `find-o${options.length}`, "aria-selected": "false", class: "find-hit" }, element("span", { class: "find-name" }, hit.name));
        if (hit.note) option.append(element("span", { class: "note" }, hit.note));
        option.dataset.href = hit.href;
        options.push(option);
        part.append(option);
      }
      list.append(part);
    }
    list.hidden = options.length === 0;
    field.setAttribute("aria-expanded", String(options.length > 0));
    status.textContent = answer.said;
    if (options.length > 0) choose(0);
  };

  const look = async () => {
    under?.abort();
    const text = field.value.trim();
    if (text === "") {
      empty();
      status.textContent = "";
      return;
    }
    under = new AbortController();
    try {
      const answer = await fetch(`${at}?${new URLSearchParams({ q: text })}`, { headers: { Accept: "application/json" }, signal: under.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      show((await answer.json()) as Answer);
    } catch (error) {
      if ((error as Error).name === "AbortError") return;
      empty();
      status.textContent = dialog.dataset.failed ?? "";
    }
  };

  field.addEventListener("input", () => {
    clearTimeout(wait);
    wait = window.setTimeout(look, 120);
  });
  field.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && options.length > 0) {
      event.preventDefault();
      choose((chosen + step + options.length) % options.length);
    } else if (event.key === "Enter" && options[chosen] && !event.isComposing) {
      event.preventDefault();
      location.assign(options[chosen]!.dataset.href ?? at);
    } else if (event.key === "Escape" && !event.isComposing) {
      event.preventDefault(); // a search field would only be emptied
      dialog.close();
    }
  });
  list.addEventListener("click", (event) => {
    const option = (event.target as Element).closest<HTMLElement>("[data-href]");
    if (option) location.assign(option.dataset.href ?? at);
  });
  list.addEventListener("pointermove", (event) => {
    const n = options.indexOf((event.target as Element).closest<HTMLElement>("[data-href]") as HTMLElement);
    if (n >= 0 && n !== chosen) choose(n);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });

  const open = () => {
    if (dialog.open) return;
    dialog.showModal();
    field.select();
  };
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  for (const opener of document.querySelectorAll<HTMLElement>("[data-find]")) {
    opener.hidden = false;
    opener.addEventListener("click", open);
  }
}
