/** Tells something to those who listen to the page, politely. */
export function say(text: string): void {
  const place = document.getElementById("said");
  if (!place) return;
  place.textContent = "";
  // Emptied and filled in two steps, so that the same words are told again.
  setTimeout(() => (place.textContent = text), 60);
}

export function element<K extends keyof HTMLElementTagNameMap>(name: K, attributes: Record<string, string> = {}, ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}
