// 核验: scan or type a code, show one answer with one reason, record the act with one touch.

import { fillCard, fillIdentity, type Choice, type Shown } from "./card.ts";
import { Away, Gateway, postOffice, readAnswer, Refused, send } from "./gateway.ts";
import { type Answer, outcomeOf } from "./outcome.ts";
import { both, drawing, element, language, make, readData, separator, speak, t, timeText, write } from "./page.ts";
import { type DoorRecord, RecordQueue } from "./queue.ts";
import { readFile, Scanner } from "./scan.ts";
import { TrustedClock } from "./core/clock.ts";
import type { Two } from "./status.ts";
import { listen } from "./wedge.ts";

interface Page {
  readonly owner: string;
  readonly venue: string;
  readonly entrance: string;
  readonly place: Two;
  readonly testHours: number;
  readonly wasm: string;
}
/** The answer of `POST /v1/verifications`. */
interface Verification {
  readonly answer: Answer;
  readonly reason: Two & { readonly code: string };
  readonly advice: Two | null;
  readonly test_age_hours: number | null;
  readonly as_of: string | null;
  readonly lookup: string | null;
  readonly verification: string;
}
interface Identity {
  readonly name: string;
  readonly document: string;
}
interface Open {
  readonly answer: Answer;
  readonly reason: string;
  readonly verification: string | null;
  readonly lookup: string | null;
}

const page = readData<Page>("page")!;
const clock = new TrustedClock();
const gateway = new Gateway(page.owner, "/checker/grant/", clock);
const queue = new RecordQueue(gateway, page.owner, (waiting) => {
  element("count-waiting").textContent = String(waiting);
});
const door = element("main");
const card = element("card");
let open: Open | null = null;
let interaction = "";
let working = false;
let asOf: number | null = null;

const scanner = new Scanner(element<HTMLVideoElement>("video"), page.wasm, (text) => void check({ text }));
const healthEveryMs = 5_000;

/** Asks for one answer and shows it; whatever goes wrong is a question, never a colour. */
async function check(subject: { text: string } | { subject_token: string }, known?: Identity): Promise<void> {
  if (working) return;
  working = true;
  scanner.paused = true;
  write(element("cam-note"), both("checker.checking"));
  interaction = crypto.randomUUID();
  const current = interaction;
  try {
    const found = await gateway.call<Verification>("POST", "/v1/verifications", {
      text: null, subject_token: null, ...subject, venue: page.venue, entrance: page.entrance, interaction,
    });
    asOf = found.as_of ? Date.parse(found.as_of) : null;
    showNet(true);
    showAnswer(found, known !== undefined);
    if (known) fillIdentity(card, known);
    else if (found.lookup) void identify(found.lookup, current);
  } catch (error) {
    if (!(error instanceof Away || error instanceof Refused)) throw error;
    if (error instanceof Away) showNet(false);
    showFailure(error);
  } finally {
    element("cam-note").replaceChildren();
    working = false;
  }
}

function showAnswer(found: Verification, known: boolean): void {
  const outcome = outcomeOf(found.answer, found.test_age_hours, page.testHours);
  const limit = page.testHours;
  let reason: Two = found.reason.zh ? found.reason : both("checker.reason_none");
  if (outcome.test === "old") reason = both("checker.reason_test_old", { hours: found.test_age_hours ?? 0, limit });
  else if (outcome.test === "none") reason = both("checker.reason_test_none", { limit });
  else if (outcome.act === "admit") reason = both("checker.reason_green");
  open = { answer: found.answer, reason: found.reason.code, verification: found.verification, lookup: found.lookup };
  show({
    answer: found.answer, reason, advice: found.advice, testHours: found.test_age_hours, outcome,
    place: page.place, atMs: clock.now(), hasIdentity: known || found.lookup !== null,
  });
}

function showFailure(error: Away | Refused): void {
  const login = error instanceof Refused && (error.status === 401 || error.status === 403);
  const refusal = error instanceof Refused ? error.texts : null;
  const reason = login ? both("checker.reason_login") : (refusal ?? both("checker.reason_away"));
  open = { answer: "undetermined", reason: error instanceof Refused ? error.code : "away", verification: null, lookup: null };
  show({
    answer: "away", reason, advice: null, testHours: null, outcome: outcomeOf("away", null, page.testHours),
    place: page.place, atMs: clock.now(), hasIdentity: false,
  });
}

function show(shown: Shown): void {
  door.dataset["now"] = "card";
  fillCard(card, shown, (choice) => void choose(choice));
  speak(`${t(`checker.outcome.${shown.outcome.act}`)}，${shown.reason[language]}`);
}

/** The second answer: who it is, masked, given by the office in the transaction that writes the access row. */
async function identify(lookup: string, of: string): Promise<void> {
  let identity: Identity | null = null;
  try {
    identity = await readAnswer(await postOffice("/checker/identity/", { lookup, device: await gateway.device() }));
  } catch (error) {
    if (!(error instanceof Away || error instanceof Refused)) throw error;
  }
  if (of === interaction) fillIdentity(card, identity);
}

async function choose(choice: Choice): Promise<void> {
  if (choice === "document") {
    openDocument();
    return;
  }
  if (choice !== "next" && open) await record(choice, open);
  next();
}

async function record(kind: DoorRecord["kind"], from: Open): Promise<void> {
  await queue.add({
    key: crypto.randomUUID(), kind, verification: from.verification, venue: page.venue, entrance: page.entrance,
    occurred_at: new Date(clock.now()).toISOString(), answer: from.answer, reason: from.reason, lookup: from.lookup, note: "",
  });
  count(kind);
  toast(t(`checker.done.${kind}`));
}

function next(): void {
  open = null;
  interaction = "";
  card.replaceChildren();
  door.dataset["now"] = "scan";
  scanner.paused = false;
  door.focus({ preventScroll: true });
}

/** Today's acts on this device. */
function count(kind?: string): void {
  const day = new Date(clock.now() + 8 * 3_600_000).toISOString().slice(0, 10);
  const name = `counts:${page.owner}`;
  const held = JSON.parse(localStorage.getItem(name) ?? "{}") as { day?: string; acts?: Record<string, number> };
  const acts = held.day === day ? (held.acts ?? {}) : {};
  if (kind) acts[kind] = (acts[kind] ?? 0) + 1;
  localStorage.setItem(name, JSON.stringify({ day, acts }));
  for (const shown of ["admit", "refuse", "isolate"]) element(`count-${shown}`).textContent = String(acts[shown] ?? 0);
}

function toast(text: string): void {
  const made = make("div", "toast", drawing("i-check"), text);
  element("toasts").replaceChildren(made);
  setTimeout(() => made.remove(), 2_500);
}

function showNet(online: boolean): void {
  const pill = element("net");
  pill.className = online ? "net" : "net off";
  const text = make("span");
  if (online) text.textContent = t("checker.online");
  else if (asOf === null) text.textContent = t("checker.offline_never");
  else {
    const [first, second] = t("checker.offline", { time: timeText(asOf) }).split(" · ");
    text.append(first ?? "", separator(), second ?? "");
  }
  pill.replaceChildren(drawing(online ? "i-net" : "i-off"), text);
  element("as-of").textContent = asOf === null ? "" : t("checker.as_of", { time: timeText(asOf) });
}

async function askHealth(): Promise<void> {
  try {
    const response = await send("/v1/healthz");
    const health = (await response.json()) as { book_age_seconds: number | null; now_ms: number };
    clock.exchange(health.now_ms);
    if (typeof health.book_age_seconds === "number") asOf = clock.now() - health.book_age_seconds * 1000;
    showNet(response.ok);
  } catch {
    showNet(false);
  }
}

// ── documents ──
const dialog = element<HTMLDialogElement>("document");
const number = element<HTMLInputElement>("document-number");

function openDocument(): void {
  documentFault(null);
  number.value = "";
  dialog.showModal();
  number.focus();
}

function documentFault(code: string | null): void {
  const line = element("document-fault");
  line.hidden = code === null;
  element("document-field").classList.toggle("wrong", code !== null);
  number.toggleAttribute("aria-invalid", code !== null);
  if (code) {
    line.replaceChildren(drawing("i-edit"), t(code));
    number.setAttribute("aria-describedby", "document-fault");
    number.focus();
  }
}

async function checkDocument(): Promise<void> {
  const type = element<HTMLSelectElement>("document-type").value;
  try {
    const device = await gateway.device();
    const found = await readAnswer<{ subject_token: string; identity: Identity }>(
      await postOffice("/checker/document/", { type, number: number.value.trim(), venue: page.venue, device }),
    );
    dialog.close();
    await check({ subject_token: found.subject_token }, found.identity);
  } catch (error) {
    if (error instanceof Away) {
      dialog.close();
      showNet(false);
      showFailure(error);
    } else if (error instanceof Refused) {
      const codes: Record<number, string> = { 404: "checker.document_not_found", 429: "checker.document_too_many" };
      documentFault(codes[error.status] ?? "checker.document_wrong");
    } else throw error;
  }
}

element("document-form").addEventListener("submit", (event) => {
  event.preventDefault();
  void checkDocument();
});
element("document-cancel").addEventListener("click", () => dialog.close());
element("tool-document").addEventListener("click", openDocument);
element<HTMLInputElement>("tool-photo").addEventListener("change", (event) => {
  const input = event.target as HTMLInputElement;
  const file = input.files?.[0];
  if (!file) return;
  void readFile(file, page.wasm).then((text) => {
    input.value = "";
    if (text) void check({ text });
    else write(element("cam-note"), both("checker.photo_none"));
  });
});

let lit = false;
element("tool-torch").addEventListener("click", () => {
  lit = !lit;
  element("tool-torch").setAttribute("aria-pressed", String(lit));
  void scanner.torch(lit);
});

async function start(): Promise<void> {
  count();
  showNet(navigator.onLine);
  void askHealth();
  setInterval(() => void askHealth(), healthEveryMs);
  window.addEventListener("offline", () => showNet(false));
  listen((text) => {
    if (dialog.open) dialog.close();
    void check({ text });
  });
  const fault = await scanner.start();
  if (fault) {
    element("cam").classList.add("is-blind");
    write(element("cam-note"), both(`checker.camera.${fault}`), { block: true });
  }
  element<HTMLButtonElement>("tool-torch").disabled = !scanner.hasTorch;
}

void start();
