import { say } from "./say";

/** Lets notices be put away, and tells what they say to those who listen: what stands
 * in a page from its beginning is not told by itself. */
export function notices(): void {
  for (const notice of document.querySelectorAll<HTMLElement>(".notice")) {
    const away = notice.querySelector<HTMLButtonElement>("[data-away]");
    if (away) {
      away.hidden = false;
      away.addEventListener("click", () => {
        notice.remove();
        document.getElementById("content")?.focus({ preventScroll: true });
      });
    }
    const text = notice.querySelector("p")?.textContent;
    if (text && notice.getAttribute("role") === "status") say(text);
  }
}
