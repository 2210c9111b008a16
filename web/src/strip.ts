// What stands around the card: the network's pill, today's counts, toasts, and the page's own keeping.

import { drawing, element, make, separator, t, timeText } from "./page.ts";

const utcPlus8 = 8 * 3_600_000;

/** Today's acts on this device; with a kind, one more of it. */
export function count(owner: string, nowMs: number, kind?: string): void {
  const day = new Date(nowMs + utcPlus8).toISOString().slice(0, 10);
  const name = `counts:${owner}`;
  const held = JSON.parse(localStorage.getItem(name) ?? "{}") as { day?: string; acts?: Record<string, number> };
  const acts = held.day === day ? (held.acts ?? {}) : {};
  if (kind) acts[kind] = (acts[kind] ?? 0) + 1;
  localStorage.setItem(name, JSON.stringify({ day, acts }));
  for (const shown of ["admit", "refuse", "isolate"]) element(`count-${shown}`).textContent = String(acts[shown] ?? 0);
}

export function toast(text: string): void {
  const made = make("div", "toast", drawing("i-check"), text);
  element("toasts").replaceChildren(made);
  setTimeout(() => made.remove(), 2_500);
}

let online = true;

/** Says as of when this phone knows, when that has moved on. */
export function showAsOf(asOfMs: number | null): void {
  showNet(online, asOfMs);
}

/** Says whether the server answers, and as of when this phone knows: offline is said plainly, with its time. */
export function showNet(answers: boolean, asOfMs: number | null): void {
  online = answers;
  const pill = element("net");
  const said = `${online} ${asOfMs === null ? "" : timeText(asOfMs)}`;
  if (pill.dataset["said"] !== said) {
    pill.dataset["said"] = said;
    pill.className = online ? "net" : "net off";
    const text = make("span");
    if (online) text.textContent = t("checker.online");
    else if (asOfMs === null) text.textContent = t("checker.offline_never");
    else {
      const [first, second] = t("checker.offline", { time: timeText(asOfMs) }).split(" · ");
      text.append(first ?? "", separator(), second ?? "");
    }
    pill.replaceChildren(drawing(online ? "i-net" : "i-off"), text);
  }
  element("as-of").textContent = asOfMs === null ? t("checker.as_of_never") : t("checker.as_of", { time: timeText(asOfMs) });
}

/** Lets a page be opened again without network: its first visit was before its worker began. */
export async function keepForOffline(home: string, more: readonly string[] = []): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  try {
    const registered = await navigator.serviceWorker.register(`${home}worker.js`, { scope: home });
    await navigator.serviceWorker.ready;
    const loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
    const files = [...loaded, ...more.map((path) => new URL(path, location.href).href)];
    const wanted = files.filter((name) => new URL(name).pathname.startsWith("/static/"));
    (registered.active ?? registered.waiting ?? registered.installing)?.postMessage({ keep: wanted });
  } catch {
    // Without a worker the page needs the network to be opened; what it knows stays.
  }
}

/** Takes this user's page off the device: at logout. Records that still wait stay until they are sent. */
export async function forgetPage(home: string): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration(home);
  registration?.active?.postMessage("forget");
}
