// The moment of a what-if, told anew while its slider moves. Without this script the
// form is sent with its button. All words come from the node.

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-moment]")) {
  const slider = form.querySelector<HTMLInputElement>("input[type=range]");
  const said = form.querySelector<HTMLOutputElement>("output");
  const shown = document.querySelector<HTMLElement>("[data-moment-shown]");
  const button = form.querySelector<HTMLButtonElement>("button");
  if (!slider || !said || !shown) continue;
  if (button) button.hidden = true; // there is nothing left to send
  let asking = false;
  let wanted = "";

  const question = (address: string): URL => {
    const url = new URL(address, location.href);
    url.search = "";
    for (const [name, value] of new FormData(form)) url.searchParams.append(name, String(value));
    return url;
  };

  const ask = async () => {
    if (asking || wanted === slider.value) return;
    asking = true;
    try {
      while (wanted !== slider.value) {
        wanted = slider.value;
        const answer = await fetch(question(form.dataset.moment!), { headers: { Accept: "application/json" }, redirect: "error" });
        if (!answer.ok) throw new Error(String(answer.status));
        const told = (await answer.json()) as { after: string; words: string };
        said.value = told.after;
        slider.setAttribute("aria-valuetext", told.after);
        shown.innerHTML = told.words; // made and escaped by the node
        history.replaceState(null, "", question(form.action));
      }
    } catch {
      if (button) button.hidden = false; // the form can still be sent
    } finally {
      asking = false;
    }
  };
  wanted = slider.value;
  slider.addEventListener("input", () => void ask());
}
