// 核验: the door in a checker's browser. A scan is answered within 300 ms, by the gateway or by the phone alone;
// what the guard sees makes the three musts; one blue button at a time; every act is kept until the server has it.

import { Acts } from "./acts.ts";
import { fillCard, fillIdentity, type Choice } from "./card.ts";
import { TrustedClock } from "./core/clock.ts";
import type { DoorDocument } from "./core/verdict.ts";
import { ArrivalsDialog, DocumentDialog, type Identity, PaperDialog, ReportDialog, type ReportKind } from "./dialogs.ts";
import { readDoor } from "./document.ts";
import { type Claim, type Finding, type Kind, type Party, type Visitor } from "./flow.ts";
import { mustsOf, newVisitor, nothing, onPaper, othersOf, policyFor, primaryOf, roleOf, verdictOf } from "./flow.ts";
import { Away, Gateway, Refused } from "./gateway.ts";
import { Knowledge } from "./knowledge.ts";
import { allNo, mustsRow, type Observation, type PanelName } from "./musts.ts";
import { both, element, readData, t, write } from "./page.ts";
import { answerScan, type DoorPage, doorServer, doorShelf, identify, sendRecords, type Subject, trayOf } from "./phone.ts";
import { beginPulse, drawRoom } from "./pulse.ts";
import { RecordQueue } from "./queue.ts";
import { Reported } from "./reported.ts";
import { doorSeconds, Room } from "./room.ts";
import { Scanner } from "./scan.ts";
import { count, keepForOffline, showNet, toast } from "./strip.ts";
import { Modes, startCamera, wireTools } from "./tools.ts";
import { Voice } from "./voice.ts";
import { listen } from "./wedge.ts";
import { cardOf, failureCard } from "./words.ts";

const page = readData<DoorPage>("page")!;
const place = { venue: page.venue, entrance: page.entrance };
const clock = new TrustedClock();
const gateway = new Gateway(page.owner, "/checker/grant/", clock);
const knowledge = new Knowledge<DoorDocument>(page, doorServer(gateway, page.venue, page.entrance), doorShelf, clock, readDoor);
const reported = new Reported(gateway);
const voice = new Voice();
const room = new Room(place, crypto.randomUUID(), (body) => gateway.call("POST", "/v1/door/places", body), doorShelf, doorSeconds());
const queue = new RecordQueue(
  trayOf(page.owner),
  sendRecords(gateway),
  (waiting) => {
    element("count-waiting").textContent = String(waiting);
  },
  (keys) => reported.landed(keys),
);
const acts = new Acts(page, clock, knowledge, queue, room);
const door = element("main");
const card = element("card");

let visitor: Visitor | null = null;
let failure: Away | Refused | null = null;
let party: Party | null = null;
let working = false;
let panel: PanelName | null = null;
let openedAtMs = 0;
let waitsForRules = false;

const modes = new Modes(() => party?.members ?? 0, () => {
  party = null;
});
const scanner = new Scanner(element<HTMLVideoElement>("video"), page.wasm, (text) => void scanned({ text }));

/** Answers one scan; whatever goes wrong is a question, never a colour. */
async function scanned(subject: Subject, identity?: Identity, given: Partial<Visitor> = {}): Promise<void> {
  if (working) return;
  working = true;
  scanner.paused = true;
  write(element("cam-note"), both("checker.checking"));
  try {
    if (modes.exit && "text" in subject) await leave(subject.text);
    else await ask(subject, identity, given);
  } finally {
    if (door.dataset["now"] === "card") element("cam-note").replaceChildren();
    working = false;
  }
}

async function ask(subject: Subject, identity: Identity | undefined, given: Partial<Visitor>): Promise<void> {
  const visit = crypto.randomUUID();
  const fresh = Math.min(...(knowledge.door?.policies.map((policy) => policy.freshness_seconds) ?? [0]));
  const late = (found: Finding | Away | Refused) => arrived(visit, found, identity);
  const found = await answerScan(gateway, knowledge, subject, place, visit, fresh, late);
  panel = null;
  openedAtMs = clock.now();
  if (found instanceof Error) {
    if (found instanceof Away) net(false);
    visitor = newVisitor(visit, nothing, { room: room.has(1), ...given });
    failure = found;
  } else {
    net(!found.offline);
    visitor = newVisitor(visit, found, { party: modes.together ? (party ?? { visit, members: 1 }) : null, room: room.has(1), ...given });
    failure = null;
  }
  draw();
  announce();
  whoIs(found, visit, identity);
}

/** The gateway's answer after the phone's own: it knows more, so it takes the place of it while the card is open. */
function arrived(visit: string, found: Finding | Away | Refused, identity: Identity | undefined): void {
  if (found instanceof Error) return;
  net(true);
  if (visitor?.visit !== visit) return;
  const before = visitor.finding.answer;
  visitor = { ...visitor, finding: found };
  failure = null;
  draw(true);
  if (before !== found.answer) announce();
  whoIs(found, visit, identity);
}

function whoIs(found: Finding | Away | Refused, visit: string, identity: Identity | undefined): void {
  if (identity) fillIdentity(card, identity);
  else if (!(found instanceof Error) && found.who && "lookup" in found.who) {
    void identify(gateway, found.who.lookup).then((known) => visitor?.visit === visit && fillIdentity(card, known));
  } else fillIdentity(card, null);
}

function draw(again = false): void {
  if (!visitor) return;
  door.dataset["now"] = "card";
  const document_ = knowledge.door;
  waitsForRules = document_ === null;
  const heard = { chosen: (choice: Choice) => void choose(choice), claimed };
  if (failure || !document_) {
    fillCard(card, failureCard({ failure, visitor, place: page.place, atMs: openedAtMs }), heard, again);
    return;
  }
  const verdict = verdictOf(visitor, document_, knowledge.now);
  const policy = policyFor(document_, roleOf(visitor));
  const primary = primaryOf(visitor, verdict, policy);
  const view = { visitor, policy, musts: mustsOf(visitor, policy), open: panel, thermometer: localStorage.getItem("thermometer") ?? "" };
  const musts = mustsRow(view, { observed, opened, register: () => paper.open(visitor?.minors ?? 0, visitor?.finding.who !== null) });
  const shown = cardOf({ visitor, verdict, policy, place: page.place, atMs: openedAtMs });
  fillCard(card, { ...shown, primary, others: othersOf(visitor, verdict, primary, policy), musts, panelOpen: panel !== null }, heard, again);
}

/** Says the outcome and its words, once: a recording, or nothing; the card carries the same in text. */
function announce(): void {
  const document_ = knowledge.door;
  if (visitor && document_ && !failure) void voice.say(verdictOf(visitor, document_, knowledge.now).prompt);
}

function observed(seen: Observation): void {
  if (!visitor) return;
  visitor = { ...visitor, ...seen };
  if (seen.temperature) localStorage.setItem("thermometer", seen.temperature.thermometer);
  panel = null;
  draw(true);
  announce();
}

function opened(name: PanelName | null): void {
  panel = name;
  draw(true);
  if (name === "measured") element("temperature-value").focus();
  if (name === "asked") card.querySelector<HTMLElement>(".questions input")?.focus();
}

function claimed(role: string): void {
  if (!visitor) return;
  visitor = { ...visitor, claimed: role as Claim };
  draw(true);
}

async function choose(choice: Choice): Promise<void> {
  const document_ = knowledge.door;
  if (!visitor) return next();
  switch (choice) {
    case "document":
      return documents.open();
    case "mask":
      return observed({ mask: "yes" });
    case "temperature":
      return opened("measured");
    case "questions":
      return document_ ? observed({ questions: allNo(policyFor(document_, roleOf(visitor))) }) : undefined;
    case "seen":
      return document_ ? observed({ mask: "yes", questions: allNo(policyFor(document_, roleOf(visitor))) }) : undefined;
    case "queue":
      return draw(true);
    case "report":
      return report.open();
    case "next":
      return next();
    default:
      await record(choice, visitor);
      return choice === "isolate" ? follow() : next();
  }
}

/** Keeps the act on the phone, then says so. */
async function record(kind: Kind, of: Visitor, about?: ReportKind): Promise<void> {
  const key = await acts.record(kind, of, about);
  if (kind === "isolate" || kind === "report") reported.wait(key);
  if (kind === "admit" && modes.together) party = { visit: (party ?? of).visit, members: (party?.members ?? 0) + 1 };
  done(kind);
}

async function leave(text: string): Promise<void> {
  await acts.leave(text);
  done("exit");
  next();
}

function done(kind: Kind): void {
  drawRoom(room);
  count(page.owner, clock.now(), kind);
  toast(t(`checker.done.${kind}`));
}

/** After a report: where it is, and the next steps. Nothing that comes late is drawn over it. */
function follow(): void {
  visitor = null;
  door.dataset["now"] = "card";
  reported.show(card, next);
}

function next(): void {
  visitor = null;
  failure = null;
  panel = null;
  card.replaceChildren();
  door.dataset["now"] = "scan";
  modes.show();
  scanner.paused = false;
  door.focus({ preventScroll: true });
}

const net = (online: boolean): void => showNet(online, knowledge.asOfMs);

// ── what a person without a phone shows, and what nobody scans ──
const documents = new DocumentDialog(
  gateway, page.venue,
  (token, identity) => void scanned({ subject_token: token }, identity, { registered: { how: "document", reference: "" } }),
  (error) => {
    net(false);
    failure = error;
    visitor ??= newVisitor(crypto.randomUUID(), nothing);
    draw();
  },
);
const arrivals = new ArrivalsDialog(gateway, (token) => {
  void scanned({ subject_token: token }, undefined, { registered: { how: "code", reference: "venue-code" } });
});
const paper = new PaperDialog((serial, minors) => {
  if (!visitor) openedAtMs = clock.now();
  scanner.paused = true;
  visitor = onPaper(visitor ?? newVisitor(crypto.randomUUID(), nothing, { room: room.has(1 + minors) }), serial, minors);
  failure = null;
  draw(true);
});
const report = new ReportDialog((about) => {
  const of = visitor ?? newVisitor(crypto.randomUUID(), nothing);
  scanner.paused = true;
  void record("report", of, about).then(follow);
});

function emergency(): void {
  scanner.paused = true;
  failure = null;
  openedAtMs = clock.now();
  visitor = newVisitor(crypto.randomUUID(), nothing, { emergency: true });
  draw();
  announce();
}

async function start(): Promise<void> {
  count(page.owner, clock.now());
  wireTools({
    document: () => documents.open(),
    paper: () => paper.open(0, false),
    arrivals: () => void arrivals.open(),
    report: () => report.open(),
    emergency,
    exitWithoutCode: () => void leave(""),
    scanned: (text: string) => void scanned({ text }),
    leaving: () => queue.drain(),
  }, scanner, page.wasm);
  listen((text) => {
    document.querySelectorAll<HTMLDialogElement>("dialog[open]").forEach((open) => open.close());
    void scanned({ text });
  });
  await knowledge.restore();
  await room.restore();
  drawRoom(room);
  await beginPulse({ clock, knowledge, queue, room, changed: refreshed });
  void keepForOffline("/checker/", [page.wasm, ...voice.addresses]);
  await startCamera(scanner);
}

/** Rules or places have come while a card waits for them. */
function refreshed(): void {
  if (!visitor) return;
  const place_ = room.has(1 + visitor.minors);
  if (place_ === visitor.room && waitsForRules === (knowledge.door === null)) return;
  visitor = { ...visitor, room: place_ };
  draw(true);
}

void start();
