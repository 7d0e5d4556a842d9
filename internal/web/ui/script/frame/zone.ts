/** Tells the node the reader's time zone, unless they chose one: from the next page on,
 * times are in it. */
export function zone(): void {
  if (/(^|; )zone=/.test(document.cookie)) return;
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!name || !/^[A-Za-z0-9_+\/-]{1,64}$/.test(name)) return;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `zone=${name}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
}
