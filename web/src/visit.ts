// 登记结果: a venue code scanned or opened is a check-in; the answer, the venue and what to do.

import { Away, Gateway, Refused } from "./gateway.ts";
import {
  both, drawing, element, language, make, momentText, readData, separator, speak, t, textIn, timeText, write,
} from "./page.ts";
import { readFile, Scanner } from "./scan.ts";
import { TrustedClock } from "./core/clock.ts";
import { type Colour, type Two, hoursSince, shapeOf } from "./status.ts";

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
  readonly sampled_at?: string | null;
  readonly recorded_at: string;
}

const page = readData<Page>("page")!;
const clock = new TrustedClock();
const gateway = new Gateway(page.owner, "/me/grant/", clock);
const root = element("visit");
let token = page.token;
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
    const answer = await gateway.call<CheckIn>("POST", "/v1/checkins", { key: keyFor(token), venue_token: token });
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

function showResult(answer: CheckIn): void {
  const shape = shapeOf(answer.colour);
  element("head").className = `head on-status st-${shape}`;
  const done = both(`resident.visit_done.${shape}`);
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
    ["resident.visit_at", momentText(Date.parse(answer.recorded_at))],
    ["resident.visit_name", page.name],
  ];
  if (answer.sampled_at) {
    const hours = hoursSince(answer.sampled_at, clock.now());
    rows.push(["resident.visit_test", t("resident.test_age", { hours }).replace("·", language === "zh" ? "，" : "·")]);
  }
  if (answer.reason && answer.colour !== "green") rows.push(["resident.visit_reason", answer.reason[language]]);
  element("visit-facts").replaceChildren(
    ...rows.flatMap(([code, value]) => {
      const term = make("dt");
      write(term, both(code));
      return [term, make("dd", "solid", value)];
    }),
  );
  root.dataset["now"] = "result";
  speak(`${t(`pages.word.${answer.colour}`)}，${done[language]}`);
  element("voice").hidden = !("speechSynthesis" in window);
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
element("again").addEventListener("click", () => void (token ? checkIn() : scan()));
void (token ? checkIn() : scan());
