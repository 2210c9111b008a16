// 我的码: the code, redrawn every slot; the status, its reason and its end; what helps when offline.

import { TrustedClock } from "./core/clock.ts";
import { Away, Gateway, Refused } from "./gateway.ts";
import { drawCode } from "./qr.ts";
import {
  both, clockText, drawing, element, make, momentText, readData, separator, t, textIn, timeText, weekdayText, write,
} from "./page.ts";
import { forgetAll, get, put } from "./storage.ts";
import { type Colour, type Status, type Two, shapeOf, statusAt, testHours } from "./status.ts";
import { type TrustAnchor, Wallet } from "./wallet.ts";

interface Page extends TrustAnchor {
  readonly owner: string;
  /** What the pack in force asks of a visitor; null when it asks for no test. */
  readonly testHours: number | null;
  readonly whyUrl: string;
  readonly visitUrl: string;
  readonly loginUrl: string;
  readonly phone: string;
}

const page = readData<Page>("page")!;
const clock = new TrustedClock();
const gateway = new Gateway(page.owner, "/me/grant/", clock);
const wallet = new Wallet(page.owner, gateway, clock, page);

let status: Status | null = null;
let offlineSince: number | null = null;
let refusal: Two | null = null;
let lastContact = 0;
let drawnText = "";
let drawnHead = "";
let busy = false;

const tickMs = 200;
const askEveryMs = 60_000;
const retryMs = 5_000;
let nextAsk = 0;

async function start(): Promise<void> {
  status = (await get<Status>("wallet", `status:${page.owner}`)) ?? null;
  await wallet.restore();
  lastContact = status ? Date.parse(status.as_of) : 0;
  setInterval(tick, tickMs);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) nextAsk = 0;
  });
  window.addEventListener("online", () => {
    nextAsk = 0;
  });
  tick();
}

function tick(): void {
  const now = clock.now();
  drawClock(now);
  if (document.hidden) return;
  if (performance.now() >= nextAsk && !busy) void ask();
  draw(now);
}

/** Asks for codes when they are due, else only for the status; a failure keeps what is held. */
async function ask(): Promise<void> {
  busy = true;
  try {
    const answered =
      (wallet.due() ? await wallet.refresh() : null) ?? (await gateway.call<Status>("GET", "/v1/me"));
    if (status && status.colour !== answered.colour) wallet.hurry();
    status = answered;
    await put("wallet", `status:${page.owner}`, answered);
    lastContact = clock.now();
    offlineSince = null;
    refusal = null;
    nextAsk = performance.now() + askEveryMs * (0.75 + Math.random() / 2);
    drawDevices(await gateway.newDevices());
  } catch (error) {
    if (!(error instanceof Away || error instanceof Refused)) throw error;
    if (error instanceof Away) offlineSince ??= lastContact || clock.now();
    else await refused(error);
    nextAsk = performance.now() + retryMs * (0.75 + Math.random() / 2);
  } finally {
    busy = false;
  }
}

async function refused(error: Refused): Promise<void> {
  offlineSince = null;
  if (error.status === 401 || error.status === 403) refusal = both("resident.login_again");
  else refusal = error.texts;
  const colour = error.code === "no-status" ? "unknown" : error.code === "status-closed" ? "closed" : null;
  if (colour && status) status = { ...status, colour, reason: null, advice: null, next_change: null };
}

function drawClock(now: number): void {
  element("clock").textContent = clockText(now);
  element("day").textContent = weekdayText(now);
  write(element("time-note"), both(clock.confirmed ? "resident.server_time" : "resident.time_unsure"));
}

function draw(now: number): void {
  const shown = wallet.shown();
  const current = status ? statusAt(status, now) : null;
  const colour: Colour | null = current?.colour ?? null;
  const live = shown !== null && (colour === "green" || colour === "yellow" || colour === "red");
  // Without a code that is good now there is no colour: unknown, which is never green.
  if (live) drawHead(colour);
  else if (offlineSince !== null || refusal !== null || colour === "unknown" || colour === "closed") {
    drawHead(colour === "closed" ? "closed" : "unknown");
  }
  drawCodeArea(live ? shown : null, now);
  drawBecause(live ? current : null, now);
  drawFacts(current, live, now);
  drawPrimary(live ? colour : "unknown");
}

function drawHead(colour: Colour): void {
  if (drawnHead === colour) return;
  drawnHead = colour;
  element("head").className = `head on-status st-${shapeOf(colour)}`;
  const words = make("div", "", make("div", "word", t(`pages.word.${colour}`)), make("div", "say", t(`pages.say.${colour}`)));
  if (document.documentElement.lang !== "en") {
    const english = make("span", "en", textIn(`pages.word.${colour}`, "en"), separator(), textIn(`pages.say.${colour}`, "en").toLowerCase());
    english.lang = "en";
    words.append(english);
  }
  element("band").replaceChildren(drawing(`s-${shapeOf(colour)}`), words);
  document.title = document.title.replace(/^.*? · /, `${t("resident.title")} ${t(`pages.word.${colour}`)} · `);
}

function drawCodeArea(shown: { text: string; turnsInMs: number } | null, now: number): void {
  const light = element("light");
  const qr = element("qr");
  const turn = element("turn");
  if (shown) {
    light.classList.remove("is-still");
    if (drawnText !== shown.text) {
      drawnText = shown.text;
      qr.className = "";
      qr.replaceChildren(drawCode(shown.text, t("resident.qr")));
    }
    const seconds = Math.ceil(shown.turnsInMs / 1000);
    write(turn, {
      zh: `${textIn("resident.renews", "zh", { seconds })} · ${textIn("resident.screenshot", "zh")}`,
      en: textIn("resident.renews", "en", { seconds }),
    });
    if (turn.firstChild?.nodeType === Node.TEXT_NODE) dots(turn);
    return;
  }
  light.classList.add("is-still");
  if (offlineSince === null && refusal === null && status?.colour !== "closed" && status?.colour !== "unknown") return;
  const code = drawnText === "" ? "resident.no_code" : "resident.expired";
  if (qr.className !== "dead") {
    qr.className = "dead";
    const notice = make("p");
    write(notice, both(code), { block: true });
    qr.replaceChildren(...qr.querySelectorAll("svg[role=img]"), notice);
  }
  write(turn, both("resident.returns"));
  void now;
}

/** Puts the middle dot of one width where a message has a plain one. */
function dots(target: HTMLElement): void {
  const first = target.firstChild;
  if (!first?.textContent?.includes("·")) return;
  const pieces = first.textContent.split("·").map((piece) => piece.trim());
  const nodes = pieces.flatMap((piece, i) => (i === 0 ? [piece] : [separator(), piece]));
  first.replaceWith(...nodes, " ");
}

/** Why the colour is what it is, or since when nothing could be asked. */
function drawBecause(current: Status | null, now: number): void {
  const box = element("because");
  const lines: (Two & { strong?: boolean })[] = [];
  if (offlineSince !== null) {
    const time = offlineSince > 0 ? timeText(offlineSince) : "";
    lines.push({ ...both(current ? "resident.offline_shown" : "resident.offline_since", { time }), strong: true });
  }
  if (refusal) lines.push({ ...refusal, strong: true });
  if (current?.reason && current.colour !== "green") lines.push({ ...current.reason, strong: true });
  if (!current && offlineSince === null && refusal === null && status?.colour === "unknown") lines.push(both("resident.no_status"));
  if (status?.colour === "closed") lines.push(both("resident.closed"));
  const key = JSON.stringify(lines);
  if (box.dataset["key"] === key) return;
  box.dataset["key"] = key;
  box.hidden = lines.length === 0;
  box.replaceChildren(
    ...lines.map((line) => {
      const part = make(line.strong ? "b" : "p");
      part.textContent = document.documentElement.lang === "en" ? line.en : line.zh;
      const made = make("div", "", part);
      if (document.documentElement.lang !== "en" && line.en) {
        const second = make("span", "en", line.en);
        second.lang = "en";
        made.append(second);
      }
      return made;
    }),
  );
  void now;
}

/** Another device on this account: its owner says so, or calls. */
function drawDevices(added: readonly string[]): void {
  const box = element("devices");
  const newest = Math.max(...added.map(Date.parse));
  if (box.dataset["key"] === String(newest)) return;
  box.dataset["key"] = String(newest);
  box.hidden = added.length === 0;
  if (box.hidden) return;
  const title = make("b");
  write(title, bothAt("resident.device_added", newest), { block: true });
  const next = make("p");
  write(next, both("resident.device_next", { phone: page.phone }), { block: true });
  const mine = make("button", "btn btn-wide", t("resident.device_mine"));
  mine.setAttribute("type", "button");
  mine.addEventListener("click", () => {
    void gateway.knowDevices().then(() => drawDevices([]));
  });
  const call = make("a", "btn btn-wide", drawing("i-phone"), t("resident.device_call", { phone: page.phone }));
  (call as HTMLAnchorElement).href = `tel:${page.phone}`;
  box.replaceChildren(title, next, make("div", "row", mine, call));
}

function bothAt(code: string, ms: number): Two {
  return { zh: textIn(code, "zh", { time: momentText(ms, "zh") }), en: textIn(code, "en", { time: momentText(ms, "en") }) };
}

function drawFacts(current: Status | null, live: boolean, now: number): void {
  element("facts").hidden = current === null;
  if (!current) return;
  const hours = testHours(current, now);
  write(element("fact-1-label"), both("resident.test"));
  const first = element("fact-1");
  first.textContent = hours === null ? t("resident.test_none") : t("resident.test_age", { hours });
  dots(first);
  const [label, value] = secondFact(current, live, hours, now);
  write(element("fact-2-label"), label);
  element("fact-2").textContent = value;
}

function secondFact(current: Status, live: boolean, hours: number | null, now: number): [Two, string] {
  const limit = page.testHours;
  if (!live) {
    const ended = wallet.lastEnd;
    if (ended !== null && ended <= now) return [both("resident.expired_at"), momentText(ended)];
  }
  if (current.colour === "yellow" || current.colour === "red") {
    const next = current.next_change;
    if (!next) return [both("resident.review"), t("resident.no_change")];
    const word = { zh: textIn(`pages.word.${next.colour}`, "zh"), en: textIn(`pages.word.${next.colour}`, "en").toLowerCase() };
    const label = { zh: textIn("resident.turns", "zh", { word: word.zh }), en: textIn("resident.turns", "en", { word: word.en }) };
    return [label, momentText(Date.parse(next.at))];
  }
  if (limit === null) return [both("resident.limit_door"), t("resident.limit_door_value")];
  if (hours === null || !current.sampled_at) return [both("resident.valid_until", { hours: limit }), "–"];
  const until = Date.parse(current.sampled_at) + limit * 3_600_000;
  if (until <= now) return [both("resident.valid_over", { hours: limit }), momentText(until)];
  return [both("resident.valid_until", { hours: limit }), momentText(until)];
}

/** The one blue button follows the state: scan, why, or try again. */
function drawPrimary(colour: Colour | null): void {
  const state = colour === "green" || colour === null ? "scan" : colour === "yellow" || colour === "red" ? "why" : "again";
  const row = element("primary");
  if (row.dataset["state"] === state) return;
  row.dataset["state"] = state;
  const scan = { icon: "i-scan", code: "resident.scan_venue", url: page.visitUrl };
  const why = { icon: "i-why", code: "resident.why_long", url: page.whyUrl };
  const button = (spec: { icon: string; code: string; url: string }, main: boolean) => {
    const label = make("span");
    write(label, both(!main && spec === why ? "resident.why" : spec.code));
    const made = make("a", main ? "btn btn-primary btn-lg btn-wide" : "btn btn-wide", drawing(spec.icon), ...label.childNodes);
    (made as HTMLAnchorElement).href = spec.url;
    return made;
  };
  if (state === "again") {
    const label = make("span");
    write(label, both("resident.reconnect"));
    const made = make("button", "btn btn-primary btn-lg btn-wide", drawing("i-again"), ...label.childNodes);
    made.addEventListener("click", () => {
      nextAsk = 0;
      if (refusal?.zh === textIn("resident.login_again", "zh")) location.assign(page.loginUrl);
    });
    row.replaceChildren(made);
    element("second").replaceChildren(button(scan, false));
    return;
  }
  row.replaceChildren(button(state === "scan" ? scan : why, true));
  element("second").replaceChildren(button(state === "scan" ? why : scan, false));
}

const logout = element<HTMLFormElement>("logout");
logout.addEventListener("submit", (event) => {
  event.preventDefault();
  // Codes and keys of this person leave the phone before the session ends.
  void (async () => {
    const registration = await navigator.serviceWorker?.getRegistration("/me/");
    registration?.active?.postMessage("forget");
    await forgetAll();
    logout.submit();
  })();
});

/** Lets this page be opened again without network: the first visit was before its worker began. */
async function keepForOffline(): Promise<void> {
  const registered = await navigator.serviceWorker.register("/me/worker.js", { scope: "/me/" });
  await navigator.serviceWorker.ready;
  const files = performance.getEntriesByType("resource").map((entry) => entry.name);
  registered.active?.postMessage({ keep: files.filter((name) => new URL(name).pathname.startsWith("/static/")) });
}

void start();
if ("serviceWorker" in navigator) void keepForOffline().catch(() => undefined);
