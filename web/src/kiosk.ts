// The door's screen: hears the box, draws one message, hands on what a scanner types and who presses help.

import { both, clockText, element, make, drawing, language, momentText, readData, separator, timeText, dayText, weekdayText, type Texts } from "./page.ts";
import { statusOf, viewOf, type DoorState, type ResultView, type View } from "./kiosk_view.ts";
import { listen } from "./wedge.ts";

interface Settings {
  readonly token: string; readonly boot: string; readonly resultMs: number; readonly askMs: number;
  readonly guardKeys: boolean; readonly idCard: boolean;
}
interface Event_ {
  readonly boot: string; readonly seq: number; readonly now_ms: number; readonly age_ms?: number; readonly state?: DoorState | null;
}

const settings = readData<Settings>("settings") as Settings;
const other = language === "zh" ? "en" : "zh";
const guardKeys: Readonly<Record<string, string>> = {
  F2: "guard-ok", F4: "ask-staff", F6: "exit", F7: "minor", F8: "emergency", F9: "admit-after-asking",
};
const deskKey = "F3";
const noticeMs = 6_000;
const tickMs = 200;

let state: DoorState | null = null;
let seq = -1;
let shownAt = 0;
let heardAt = -Infinity;
let serverOffsetMs = 0;
let notice: { readonly code: string; readonly until: number } | null = null;
let drawn = "";

const main = element("kiosk");
const clock = make("span");
const date = make("span", "en solid");

/** Fills with the page's language, and the other one as the second line. */
function lines(className: string, texts: Texts, tag = "div"): HTMLElement {
  const second = make("span", "en", texts[other]);
  second.lang = other === "en" ? "en" : "zh-Hans";
  return make(tag, className, texts[language], second);
}

/** Returns the venue and, where it is known, the entrance. */
function place(now: DoorState, lang: "zh" | "en"): (Node | string)[] {
  return now.entrance[lang] ? [now.venue[lang], separator(), now.entrance[lang]] : [now.venue[lang]];
}

function top(): HTMLElement {
  const below = make("span", "en", ...(state ? place(state, other) : []));
  below.lang = other === "en" ? "en" : "zh-Hans";
  const where = state ? [...place(state, language), below] : [];
  return make("div", "k-top", make("div", "k-where", ...where), make("div", "t", clock, date));
}

/** White stripes with a hatched edge: what everybody at the door must know of the box itself. */
function stripes(view: View): HTMLElement {
  const box = make("div", "k-stripes");
  if (!state || view.kind === "stale" || view.kind === "start") return box;
  if (state.offline) {
    const at = state.as_of === null ? null : state.as_of * 1000;
    const today = at !== null && dayText(at) === dayText(Date.now() + serverOffsetMs);
    const texts = at === null ? both("kiosk.offline_never") : {
      zh: both("kiosk.offline", { time: today ? timeText(at) : momentText(at, "zh") }).zh,
      en: both("kiosk.offline", { time: today ? timeText(at) : momentText(at, "en") }).en,
    };
    box.append(make("div", "k-off", drawing("i-off"), lines("", texts)));
  }
  if (!state.clock_sure) box.append(make("div", "k-off", drawing("i-clock"), lines("", both("kiosk.clock_unsure"))));
  return box;
}

function idle(): HTMLElement {
  if (state?.asks === "venue-code") {
    const asked = message("i-scan", both("kiosk.poster"), both("kiosk.poster_how"));
    asked.setAttribute("role", "status");
    return asked;
  }
  const say = settings.idCard
    ? make("h1", "k-say", both("kiosk.scan_or_card_1")[language], make("br"), both("kiosk.scan_or_card_2")[language],
      second(`${both("kiosk.scan_or_card_1")[other]}${other === "en" ? " " : ""}${both("kiosk.scan_or_card_2")[other]}`))
    : lines("k-say", both("kiosk.scan"), "h1");
  const phone = make("div", "", make("div", "p-phone", pictureOfCode()), both("kiosk.code")[language]);
  const pict = make("div", "pict", phone);
  if (settings.idCard) {
    const card = make("div", "p-card", make("div", "", make("i"), make("i", "short"), make("i")), make("u"));
    pict.append(make("div", "or", both("kiosk.or")[language]), make("div", "", card, both("kiosk.card")[language]));
  }
  const either = state?.asks === "either" ? [lines("k-either", both("kiosk.checked_in"))] : [];
  const mid = make("div", "k-mid", make("div", "txt", say, ...either), pict, make("div", "down", drawing("i-arrowdown")));
  mid.setAttribute("role", "status");
  return mid;
}

function second(text: string): HTMLElement {
  const made = make("span", "en", text);
  made.lang = other === "en" ? "en" : "zh-Hans";
  return made;
}

/** Breaks a Chinese sentence between its clauses and nowhere else, where the line has room. */
function clauses(texts: Texts): HTMLElement[] {
  return texts[language].split(/(?<=，)/).map((clause) => make("span", "clause", clause));
}

function message(sign: string, word: Texts, say: Texts | null, ...rest: HTMLElement[]): HTMLElement {
  const head = lines("k-word", word, "h1");
  head.dataset["length"] = word[language].length <= 2 ? "short" : word[language].length <= 4 ? "middle" : "long";
  const txt = make("div", "txt", head);
  if (say) {
    const act = make("div", "k-do", ...clauses(say), second(say[other]));
    if (say[language].length > (language === "zh" ? 12 : 26)) act.dataset["length"] = "long";
    txt.append(act);
  }
  txt.append(...rest);
  return make("div", "k-mid", make("div", "k-shape", drawing(sign)), txt);
}

function result(view: ResultView, now: DoorState): HTMLElement {
  const say = view.say ?? (view.act ? both(view.act) : null);
  const rest: HTMLElement[] = [];
  if (view.chip) {
    const chip = make("span", `st st-lg st-${view.chip}`, drawing(`s-${view.chip}`), both(`kiosk.word.${statusOf(now.answer)}`)[language]);
    rest.push(make("div", "k-chip", chip));
  }
  const facts = make("div", "k-facts");
  if (view.facts && now.temperature !== null) facts.append(fact("kiosk.temperature", `${(now.temperature / 10).toFixed(1)} °C`));
  if (view.facts && now.test_hours !== null) facts.append(fact("kiosk.test", both("kiosk.hours", { hours: now.test_hours })[language]));
  if (facts.childElementCount) rest.push(facts);
  const mid = message(view.sign, both(view.word), say, ...rest);
  mid.setAttribute("role", "alert");
  return mid;
}

function fact(code: string, value: string): HTMLElement {
  return make("div", "", both(code)[language], make("b", "", value));
}

function middle(view: View): HTMLElement {
  if (view.kind === "result" && state) return result(view, state);
  if (view.kind === "idle") return idle();
  if (view.kind === "checking") return message("i-scan", both("kiosk.checking"), both("kiosk.checking_how"));
  if (view.kind === "start") return message("i-scan", both("kiosk.title"), both("kiosk.checking_how"));
  const at = Date.now() + serverOffsetMs - (performance.now() - heardAt);
  const mid = message("i-off", both("kiosk.stale"), both("kiosk.stale_since", { time: clockText(at) }));
  mid.setAttribute("role", "alert");
  return mid;
}

function foot(view: View): HTMLElement {
  const facts = make("div", "k-counts");
  if (view.kind === "result" && view.outcome === "isolate" && state && !state.offline) facts.append(lines("left3", both("kiosk.told"), "span"));
  else if (view.kind === "result" && view.outcome === "admit" && !view.left) {
    facts.append(lines("left3", both("kiosk.recorded", { time: timeText(Date.now() + serverOffsetMs - (performance.now() - shownAt)) }), "span"));
  } else if (state && view.kind !== "stale" && view.kind !== "start") facts.append(...counts(state));
  if (view.kind === "result" && view.outcome === "admit") return make("div", "k-foot", facts, make("span", "gate", drawing("i-arrowup")));
  const button = lines("btn two", both(view.kind === "result" ? "kiosk.help" : "kiosk.call"), "button");
  button.id = "call";
  button.addEventListener("click", () => void press("ask-staff"));
  if (!state?.care || view.kind === "stale" || view.kind === "start") return make("div", "k-foot", facts, button);
  const care = lines("btn two", both("kiosk.care"), "button");
  care.id = "care";
  care.addEventListener("click", () => void press("emergency"));
  return make("div", "k-foot", facts, make("div", "k-buttons", care, button));
}

function counts(now: DoorState): HTMLElement[] {
  const made: HTMLElement[] = [];
  if (now.inside !== null) {
    const limit = now.cap === null ? [] : [` / ${now.cap}`];
    const words = both(now.cap === null ? "kiosk.inside" : "kiosk.inside_limit");
    made.push(make("span", "k-inside", make("span", "n", make("b", "", String(now.inside)), ...limit), make("span", "w", words[language], second(words[other]))));
  }
  if (now.waiting > 0) made.push(lines("k-waiting", both("kiosk.waiting", { count: now.waiting }), "span"));
  return made;
}

function pictureOfCode(): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 21 21");
  svg.setAttribute("shape-rendering", "crispEdges");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("fill-rule", "evenodd");
  path.setAttribute("d", "M0 0h7v7H0zM1 1v5h5V1zM14 0h7v7h-7zM15 1v5h5V1zM0 14h7v7H0zM1 15v5h5v-5zM2 2h3v3H2zM16 2h3v3h-3zM2 16h3v3H2zM9 0h2v2H9zM9 4h3v2H9zM8 8h3v3H8zM0 9h2v3H0zM4 9h2v2H4zM13 9h3v2h-3zM18 8h3v2h-3zM11 12h2v2h-2zM14 13h3v3h-3zM19 12h2v4h-2zM9 15h3v2H9zM9 19h2v2H9zM13 18h3v3h-3zM18 18h3v2h-3z");
  svg.append(path);
  return svg;
}

function draw(): void {
  const now = performance.now();
  const view = viewOf(state, { silentMs: now - heardAt, ageMs: now - shownAt, resultMs: settings.resultMs, askMs: settings.askMs });
  const told = notice && now < notice.until ? notice.code : null;
  const key = JSON.stringify([view, told, view.kind === "start" ? null : state]);
  const server = Date.now() + serverOffsetMs;
  clock.textContent = clockText(server);
  date.textContent = weekdayText(server);
  document.body.dataset["seq"] = String(seq);
  if (key === drawn) return;
  drawn = key;
  document.body.dataset["screen"] = view.kind;
  document.body.className = `kiosk ${view.kind === "result" ? (view.field === "ink" ? "k-ink" : `st-${view.field} on-status`) : view.kind === "stale" ? "k-ink" : "k-idle"}`;
  const bar = told ? make("div", "k-notice", lines("", both(told))) : make("div", "k-notice");
  bar.setAttribute("role", "status");
  main.replaceChildren(top(), stripes(view), middle(view), bar, foot(view));
}

function say(code: string): void {
  notice = { code, until: performance.now() + noticeMs };
  draw();
}

async function command(content: Readonly<Record<string, string>>): Promise<boolean> {
  try {
    const answer = await fetch("/command", {
      method: "POST", headers: { "content-type": "application/json", "x-kiosk-token": settings.token }, body: JSON.stringify(content),
    });
    return answer.ok;
  } catch {
    return false;
  }
}

/**
 * Asks the guard for the four signs of a check-in, or the number of a paper slip: who shows no code
 * is found by these, and nothing else of them is typed here.
 */
function desk(): void {
  const form = document.createElement("form");
  form.className = "k-desk";
  const input = document.createElement("input");
  input.id = "desk";
  input.autocomplete = "off";
  input.maxLength = 64;
  const label = lines("", both("kiosk.desk"), "label") as HTMLLabelElement;
  label.htmlFor = input.id;
  form.append(label, input);
  // A removed field loses its focus, which would remove it once more.
  const close = (): void => void (form.isConnected && setTimeout(() => form.remove()));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = input.value.trim();
    close();
    if (typed) void command({ command: "scan", text: /^[0-9a-f]{4}$/i.test(typed) ? typed : `paper:${typed}` });
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  input.addEventListener("blur", close);
  document.querySelector(".k-desk")?.remove();
  document.body.append(form);
  input.focus();
}

async function press(key: string): Promise<void> {
  const done = await command({ command: key });
  if (key === "ask-staff") say(done ? "kiosk.called" : "kiosk.not_called");
}

function heard(event: MessageEvent<string>): void {
  const told = JSON.parse(event.data) as Event_;
  // Another start of the box has another token, and counts from nought.
  if (told.boot !== settings.boot) return location.reload();
  heardAt = performance.now();
  serverOffsetMs = told.now_ms - Date.now();
  if (event.type === "state" && told.seq >= seq && told.state !== undefined) {
    seq = told.seq;
    state = told.state;
    shownAt = heardAt - (told.age_ms ?? 0);
  }
  draw();
}

function connect(): void {
  const events = new EventSource("/events");
  events.addEventListener("state", heard);
  events.addEventListener("beat", heard);
  events.addEventListener("error", () => {
    if (events.readyState !== EventSource.CLOSED) return; // the browser opens it again by itself
    setTimeout(connect, 1_000);
  });
}

/**
 * Puts the signs into the page itself: a sign that is fetched when it is needed comes after its colour.
 * Their inline styles are set one by one, because the page's policy refuses style attributes.
 */
async function takeSigns(): Promise<void> {
  const text = (await (await fetch("/static/icons.svg")).text()).replaceAll(" style=", " data-style=");
  const sprite = document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
  sprite.setAttribute("class", "vh");
  sprite.setAttribute("aria-hidden", "true");
  for (const part of sprite.querySelectorAll<SVGElement>("[data-style]")) {
    for (const rule of (part.dataset["style"] ?? "").split(";")) {
      const [name, value] = rule.split(":");
      if (name && value) part.style.setProperty(name.trim(), value.trim());
    }
  }
  document.body.append(sprite);
}

listen((text) => void command({ command: "scan", text }));
document.addEventListener("keydown", (event) => {
  if (!settings.guardKeys || event.repeat) return;
  if (event.key === deskKey) {
    event.preventDefault();
    return desk();
  }
  const key = guardKeys[event.key];
  if (key === undefined) return;
  event.preventDefault();
  void press(key);
});
void takeSigns().finally(() => {
  connect();
  setInterval(draw, tickMs);
  draw();
});
