// 登记结果: a venue code scanned or opened is a check-in; the answer, the venue and what to do.

import { Away, Gateway, Refused } from "./gateway.ts";
import type { Outcome } from "./core/verdict.ts";
import { fieldOf } from "./flow.ts";
import { both, clockText, dayText, drawing, element, language, make, readData, separator, t, textIn, timeText, write } from "./page.ts";
import { readFile, Scanner } from "./scan.ts";
import { TrustedClock } from "./core/clock.ts";
import { type Colour, type Two, hoursSince, shapeOf } from "./status.ts";
import { Voice } from "./voice.ts";

interface Page {
  readonly owner: string;
  readonly name: string;
  readonly token: string;
  readonly wasm: string;
}
interface Place {
  readonly name: string;
  readonly name_en: string;
  readonly address?: string;
}
interface CheckIn {
  readonly venue: Place;
  readonly entrance: Place;
  readonly colour: Colour;
  readonly reason: Two | null;
  /** What this door will do, as far as a code says; null while the venue's rules are not there. */
  readonly verdict: { readonly outcome: Outcome; readonly requirement: string; readonly say: Two; readonly prompt: string } | null;
  readonly asks: { readonly test_hours: number | null; readonly test_days: number | null; readonly mask: boolean } | null;
  readonly sampled_at?: string | null;
  readonly recorded_at: string;
}

const page = readData<Page>("page")!;
const clock = new TrustedClock();
const gateway = new Gateway(page.owner, "/me/grant/", clock);
const root = element("visit");
const voice = new Voice();
let token = page.token;
let checkedIn = "";
let awaySince = 0;

/** One key for one visit, so that a repeated attempt is the same check-in. */
function keyFor(venueToken: string): string {
  const name = `visit:${venueToken}`;
  const held = sessionStorage.getItem(name);
  const key = held ?? crypto.randomUUID();
  sessionStorage.setItem(name, key);
  return key;
}

async function checkIn(): Promise<void> {
  root.dataset["now"] = "work";
  try {
    const key = keyFor(token);
    const answer = await gateway.call<CheckIn>("POST", "/v1/checkins", { key, venue_token: token });
    checkedIn = key;
    sessionStorage.removeItem(`visit:${token}`);
    // The address no longer says where the person was, and a reload is no second visit.
    history.replaceState(null, "", "/me/visit/");
    showResult(answer);
  } catch (error) {
    if (error instanceof Away) {
      awaySince ||= clock.now();
      showFault(both("resident.visit_away"), both("resident.visit_away_next", { time: timeText(awaySince) }));
    } else if (error instanceof Refused) {
      const login = error.status === 401 || error.status === 403;
      showFault(both("resident.visit_refused"), login ? both("resident.login_again") : (error.texts ?? both("resident.visit_refused_next")));
    } else throw error;
  }
}

function showFault(title: Two, next: Two): void {
  write(element("fault-title"), title, { block: true });
  write(element("fault-next"), next, { block: true });
  root.dataset["now"] = "fault";
}

/** The large field is green only where the door says come in: a green code that means no is ink (ui.md 3). */
function showResult(answer: CheckIn): void {
  const shape = shapeOf(answer.colour);
  const asAnswer = shape === "unknown" ? "undetermined" : shape;
  const field = answer.verdict ? fieldOf(asAnswer, answer.verdict.outcome) : shape;
  const inked = field === "ink";
  element("head").className = inked ? "head is-ink" : `head on-status st-${field}`;
  const done = answer.verdict ? both(`resident.visit_outcome.${answer.verdict.outcome}`) : both(`resident.visit_done.${shape}`);
  const words = make("div", "", make("div", "word", t(`pages.word.${answer.colour}`)), make("div", "say", done[language]));
  if (language === "zh") {
    const english = make("span", "en", textIn(`pages.word.${answer.colour}`, "en"), separator(), done.en.toLowerCase());
    english.lang = "en";
    words.append(english);
  }
  element("band").replaceChildren(drawing(`s-${shape}`), words);
  const { venue, entrance } = answer;
  element("venue-name").textContent = language === "en" ? venue.name_en : venue.name;
  const address = language === "en" ? "" : (venue.address ?? "");
  const door = language === "en" ? entrance.name_en : entrance.name;
  element("venue-place").replaceChildren(...(address && door ? [address, separator(), door] : [address || door]));
  element("venue-en").textContent = language === "en" ? "" : [venue.name_en, entrance.name_en].filter(Boolean).join(", ");
  const rows: [string, string][] = [
    ["resident.visit_at", `${dayText(Date.parse(answer.recorded_at))} ${clockText(Date.parse(answer.recorded_at))}`],
    ["resident.visit_check", checkNumber(checkedIn)],
    ["resident.visit_name", page.name],
  ];
  if (answer.sampled_at) {
    const hours = hoursSince(answer.sampled_at, clock.now());
    rows.push(["resident.visit_test", t("resident.test_age", { hours }).replace("·", language === "zh" ? "，" : "·")]);
  }
  if (answer.asks) rows.push(["resident.visit_asks", asksText(answer.asks)]);
  if (answer.verdict && answer.verdict.outcome !== "admit") rows.push(["resident.visit_next", answer.verdict.say[language]]);
  if (answer.reason && answer.colour !== "green") rows.push(["resident.visit_reason", answer.reason[language]]);
  element("visit-facts").replaceChildren(
    ...rows.flatMap(([code, value]) => {
      const term = make("dt");
      write(term, both(code));
      return [term, make("dd", "solid", value)];
    }),
  );
  root.dataset["now"] = "result";
  if (answer.verdict) {
    void voice.say(answer.verdict.prompt).then((heard) => {
      element("voice").hidden = !heard;
    });
  }
}

/** Four signs that stand on this page and in the guard's list: a glance joins the two, and no second scan is asked. */
function checkNumber(key: string): string {
  return key.slice(0, 4).toUpperCase();
}

function asksText(asks: NonNullable<CheckIn["asks"]>): string {
  const parts: string[] = [];
  if (asks.test_hours !== null) parts.push(t("resident.visit_asks_hours", { hours: asks.test_hours }));
  if (asks.test_days !== null) parts.push(t("resident.visit_asks_days", { days: asks.test_days }));
  if (asks.mask) parts.push(t("resident.visit_asks_mask"));
  return parts.length > 0 ? parts.join(language === "zh" ? "，" : ", ") : t("resident.visit_asks_none");
}

/** Adds those who came along and have no code of their own: only how many (their own codes come to the door later). */
async function addCompanions(): Promise<void> {
  const input = element<HTMLInputElement>("mates-number");
  const count = Math.trunc(Number(input.value));
  const note = element("mates-note");
  if (!(count >= 1 && count <= 9)) {
    write(note, both("resident.mates_wrong"), { block: true });
    input.focus();
    return;
  }
  try {
    const body = { key: keyFor(`mates:${checkedIn}:${count}`), venue_token: token, companions: count, joins: checkedIn };
    await gateway.call("POST", "/v1/checkins", body);
    write(note, both("resident.mates_done", { n: count }), { block: true });
    element("mates-form").hidden = true;
  } catch (error) {
    if (!(error instanceof Away || error instanceof Refused)) throw error;
    write(note, error instanceof Refused && error.texts ? error.texts : both("resident.mates_away"), { block: true });
  }
}

/** Takes the token out of a scanned address; only our own addresses count. */
function tokenOf(text: string): string | null {
  const path = /^https?:\/\/[^/]+\/v\/([A-Za-z0-9_-]+)\/?$/.exec(text.trim());
  return path?.[1] ?? null;
}

async function scan(): Promise<void> {
  root.dataset["now"] = "scan";
  const scanner = new Scanner(element<HTMLVideoElement>("video"), page.wasm, (text) => {
    if (!take(text)) return;
    scanner.stop();
  });
  const fault = await scanner.start();
  if (fault) write(element("scan-note"), both(`resident.camera.${fault}`), { block: true });
}

function take(text: string): boolean {
  const found = tokenOf(text);
  if (!found) {
    write(element("scan-note"), both("resident.visit_not_venue"), { block: true });
    return false;
  }
  token = found;
  void checkIn();
  return true;
}

element<HTMLInputElement>("photo").addEventListener("change", (event) => {
  const file = (event.target as HTMLInputElement).files?.[0];
  if (file) void readFile(file, page.wasm).then((text) => take(text ?? ""));
});
element<HTMLFormElement>("mates-form").addEventListener("submit", (event) => {
  event.preventDefault();
  void addCompanions();
});
element("again").addEventListener("click", () => void (token ? checkIn() : scan()));
void (token ? checkIn() : scan());
