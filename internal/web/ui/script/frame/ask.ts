import { element } from "./say";

/** A link with data-ask leads to a page that asks whether a grave act is meant. Here
 * that page's question is asked in a dialog on the page itself. Whatever goes wrong
 * with that, the link leads to the page. */
export function ask(): void {
  document.addEventListener("click", async (event) => {
    const link = (event.target as Element).closest?.<HTMLAnchorElement>("a[data-ask]");
    if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const question = await fetched(link.href);
    if (!question) {
      location.assign(link.href);
      return;
    }
    show(question, link);
  });
}

async function fetched(address: string): Promise<HTMLElement | null> {
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.querySelector<HTMLElement>("[data-question]");
    return found && document.importNode(found, true);
  } catch {
    return null;
  }
}

function show(question: HTMLElement, link: HTMLElement): void {
  const title = element("h2", { id: "ask-title" }, question.dataset.question ?? "");
  const dialog = element("dialog", { class: "dialog", "aria-labelledby": "ask-title" }, title, question);
  question.querySelector("[data-cancel]")?.addEventListener("click", (e) => {
    e.preventDefault();
    dialog.close();
  });
  dialog.addEventListener("click", (e) => {
    if (e.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    link.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  // What takes nothing away comes first under the finger.
  dialog.querySelector<HTMLElement>("[data-cancel]")?.focus();
}
