// The one thing about passkeys that a page cannot do without a script: hand the
// node's task to the browser's authenticator, and its answer back.
//
// A form with data-passkey is such a ceremony. It is hidden until this script shows
// it, so nothing is offered that would not work. Its fields go along with both
// requests. What it says stands in the attributes of the form, in the reader's
// language. Afterwards the page that the node names is opened or, with
// data-then="submit", the form itself is sent.

interface Task {
  id: string;
  options: { publicKey: Record<string, unknown> };
}

interface Reply {
  next?: string;
  error?: string;
  prove?: string; // where to prove first who one is
}

type Fields = Record<string, string>;

class Refused extends Error {}

/** What a form says, by what happened. */
type Words = DOMStringMap;

/** Asks the node; what it refuses comes as an error with its words. */
async function ask<T>(address: string, body: unknown, words: Words): Promise<T> {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
    redirect: "error",
  });
  if (!(answer.headers.get("Content-Type") ?? "").startsWith("application/json")) {
    throw new Refused(words.reload);
  }
  const reply = (await answer.json()) as T & Reply;
  if (reply.prove) {
    location.assign(reply.prove);
    throw new Refused(words.prove);
  }
  if (!answer.ok) throw new Refused(reply.error ?? words.again);
  return reply;
}

function bytes(text: string): ArrayBuffer {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (c) => c.charCodeAt(0)).buffer;
}

function text(data: ArrayBuffer): string {
  const plain = String.fromCharCode(...new Uint8Array(data));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Turns the texts of the node's options into the bytes that the browser wants. */
function options(from: any): any {
  const to = { ...from, challenge: bytes(from.challenge) };
  if (from.user) to.user = { ...from.user, id: bytes(from.user.id) };
  for (const list of ["excludeCredentials", "allowCredentials"]) {
    if (from[list]) to[list] = from[list].map((c: any) => ({ ...c, id: bytes(c.id) }));
  }
  return to;
}

/** Turns the browser's answer into what the node reads. */
function answer(c: PublicKeyCredential): unknown {
  const from = c.response as any;
  const response: Record<string, unknown> = { clientDataJSON: text(from.clientDataJSON) };
  for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (from[part]) response[part] = text(from[part]);
  }
  if (from.getTransports) response.transports = from.getTransports();
  return { id: c.id, rawId: text(c.rawId), type: c.type, clientExtensionResults: c.getClientExtensionResults(), response };
}

async function run(form: HTMLFormElement, fields: Fields): Promise<Reply> {
  const { begin = "", finish = "", passkey } = form.dataset;
  const task = await ask<Task>(begin, fields, form.dataset);
  const publicKey = options(task.options.publicKey);
  const made = passkey === "create" ? await navigator.credentials.create({ publicKey }) : await navigator.credentials.get({ publicKey });
  return ask<Reply>(finish, { ...fields, id: task.id, answer: answer(made as PublicKeyCredential) }, form.dataset);
}

/** Says in words why a ceremony ended; the browser's own words help nobody. */
function reason(error: unknown, words: Words): string {
  if (error instanceof Refused) return error.message;
  switch ((error as Error).name) {
    case "NotAllowedError":
      return words.cancelled!;
    case "InvalidStateError":
      return words.known!;
    case "SecurityError":
      return words.address!;
  }
  return words.failed!;
}

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-passkey]")) {
  if (!("PublicKeyCredential" in window)) {
    form.previousElementSibling?.matches("[data-passkey-missing]") && form.previousElementSibling.removeAttribute("hidden");
    continue;
  }
  form.hidden = false;
  const button = form.querySelector("button")!;
  const says = form.querySelector<HTMLElement>("[role=status]")!;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    says.textContent = form.dataset.follow!;
    try {
      const fields = Object.fromEntries([...new FormData(form)].map(([k, v]) => [k, String(v)]));
      const reply = await run(form, fields);
      says.textContent = form.dataset.done!;
      if (form.dataset.then === "submit") form.submit();
      else location.assign(reply.next ?? "/");
    } catch (error) {
      says.textContent = reason(error, form.dataset);
      button.disabled = false;
    }
  });
}
