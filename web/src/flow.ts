// One visitor before the door: what was found, what was observed, the verdict, the one act that comes next, the record.
// Pure: no page, no clock, no network. The verdict itself is core/verdict.ts under the door's own policy.

import { type DoorDocument, type DoorPolicy, type Presented, type Verdict, decide } from "./core/verdict.ts";
import type { EntryRecord } from "./core/entry.ts";
import type { DoorAnswer } from "./core/verify.ts";
import type { Two } from "./status.ts";
import type { Reading } from "./temperature.ts";

export type Kind = EntryRecord["kind"];
export type Mask = "yes" | "no" | "unobserved";
export type Claim = "visitor" | "courier" | "companion";
export type How = EntryRecord["registered"]["how"];

/** What a scan, a document or nothing at all has told, by the gateway or by this phone alone. */
export interface Finding {
  readonly answer: DoorAnswer;
  readonly reason: string;
  readonly text: Two | null;
  readonly advice: Two | null;
  readonly sampledFrom: number | null;
  readonly who: EntryRecord["who"];
  /** The day's own name of this code's holder, so that an exit is joined to its entry; it never leaves this phone. */
  readonly mark: string;
  readonly staff: boolean;
  readonly started: boolean;
  readonly verification: string | null;
  readonly asOfMs: number | null;
  readonly offline: boolean;
}

/** Who came together: those who follow belong to the visit of the first. */
export interface Party {
  readonly visit: string;
  readonly members: number;
}

export interface Visitor {
  readonly visit: string;
  readonly finding: Finding;
  readonly claimed: Claim;
  readonly party: Party | null;
  readonly mask: Mask;
  readonly questions: Readonly<Record<string, boolean>> | null;
  readonly temperature: Reading | null;
  readonly registered: { readonly how: How; readonly reference: string };
  /** People without a code of their own, registered by this one as their guardian. */
  readonly minors: number;
  readonly emergency: boolean;
  readonly room: "free" | "full" | "unknown";
}

/** What the one blue button does. `document` asks for the person's document, `queue` holds a full door. */
export type Primary = "mask" | "questions" | "temperature" | "document" | "queue" | "admit" | "ask" | "refuse" | "isolate";

/** Nobody has shown anything yet: an emergency, a paper form. */
export const nothing: Finding = {
  answer: "undetermined", reason: "no-code", text: null, advice: null, sampledFrom: null, who: null, mark: "", staff: false,
  started: false, verification: null, asOfMs: null, offline: false,
};

export function newVisitor(visit: string, finding: Finding, given: Partial<Visitor> = {}): Visitor {
  return {
    visit, finding, claimed: "visitor", party: null, mask: "unobserved", questions: null, temperature: null,
    registered: { how: finding.who ? "code" : "none", reference: "" }, minors: 0, emergency: false, room: "free", ...given,
  };
}

/** Registered on a numbered slip, or with minors who have no code: nothing else of them comes into the phone. */
export function onPaper(visitor: Visitor, serial: string, minors: number): Visitor {
  if (!serial) return { ...visitor, minors };
  return { ...visitor, minors, finding: { ...visitor.finding, who: { paper: serial } }, registered: { how: "paper", reference: serial } };
}

/** Staff are known by the feed, never by what they say; the rest is the guard's choice. */
export function roleOf({ finding, claimed, party }: Visitor): EntryRecord["role"] {
  if (finding.staff) return finding.started ? "staff-reentry" : "staff";
  return claimed === "visitor" && party ? "companion" : claimed;
}

/** The policy of a role; a role that the door does not name is a visitor. */
export function policyFor(door: DoorDocument, role: string): DoorPolicy {
  const of = (name: string) => door.policies.find((policy) => policy.role === name);
  return of(role) ?? of("visitor")!;
}

export function presentedOf(visitor: Visitor): Presented {
  const { finding } = visitor;
  return {
    answer: finding.answer, reason: finding.reason, sampledFrom: finding.sampledFrom, temperature: visitor.temperature,
    mask: visitor.mask, questions: visitor.questions, registered: visitor.registered, room: visitor.room, emergency: visitor.emergency,
  };
}

export function verdictOf(visitor: Visitor, door: DoorDocument, nowSeconds: number): Verdict {
  return decide(policyFor(door, roleOf(visitor)), presentedOf(visitor), { now: nowSeconds, offset: door.offset });
}

/** The one act that helps now: what is still to be seen first, then what the verdict says. */
export function primaryOf(visitor: Visitor, verdict: Verdict, policy: DoorPolicy): Primary {
  if (verdict.outcome !== "ask") return verdict.outcome;
  const { requirement } = verdict;
  if (requirement === "full") return "queue";
  if (requirement === "mask") return "mask";
  if (isAsked(requirement) && visitor.questions === null) return "questions";
  if (requirement === "temperature" && policy.temperature && visitor.temperature === null) return "temperature";
  if (visitor.finding.who === null && visitor.registered.how === "none") return "document";
  return "ask";
}

type Other = Kind | "document" | "seen";

/** What else may be done: never a way to let in whom the verdict keeps out without asking. */
export function othersOf(visitor: Visitor, verdict: Verdict, primary: Primary, policy: DoorPolicy): readonly Other[] {
  const others: Other[] = [];
  // What the policy lets pass unobserved can still be observed: one touch for all of it, so that it is proven.
  if (verdict.outcome === "admit" && !visitor.emergency && isOpen(visitor, policy)) return ["seen", "report"];
  if (verdict.outcome === "admit" || verdict.outcome === "isolate") return ["report"];
  if (verdict.outcome === "refuse") return ["report", "ask"];
  if (primary !== "document" && visitor.finding.who === null) others.push("document");
  if (primary !== "ask") others.push("ask");
  // After asking, a person decides; the record says that it was asked, and what was not proven.
  if (mayAdmitAfterAsking(visitor, verdict)) others.push("admit");
  return [...others, "refuse", "report"];
}

/** A guard may let in after asking when the code itself says green, or a document was looked at. Full is full. */
function mayAdmitAfterAsking({ registered, finding }: Visitor, { requirement, findings }: Verdict): boolean {
  const unproven = findings.some((found) => found.outcome === "refuse" || found.outcome === "isolate");
  if (requirement === "full" || unproven) return false;
  return finding.answer === "green" || registered.how === "document" || registered.how === "paper";
}

function isOpen(visitor: Visitor, policy: DoorPolicy): boolean {
  return mustsOf(visitor, policy).some(({ must, state }) => state === "unobserved" && (must === "mask" || must === "asked"));
}

function isAsked(requirement: string): boolean {
  return requirement === "symptoms" || requirement === "travel" || requirement === "declaration";
}

export interface Must {
  readonly must: "asked" | "measured" | "registered" | "mask";
  readonly state: "proven" | "alarm" | "unobserved" | "not-required";
}

/** The three musts and the mask, as far as this visitor's record will prove them (S0 必询问、必测温、必登记). */
export function mustsOf(visitor: Visitor, policy: DoorPolicy): readonly Must[] {
  const { questions, temperature, mask, registered } = visitor;
  const alarming = policy.questions.some((question) => questions?.[question.id] === question.alarming);
  const asked = policy.questions.length === 0 ? "not-required" : questions === null ? "unobserved" : alarming ? "alarm" : "proven";
  const fever = policy.temperature !== null && temperature !== null && temperature.tenths >= policy.temperature.limit;
  const measured = temperature ? (fever ? "alarm" : "proven") : policy.temperature ? "unobserved" : "not-required";
  const worn = !policy.mask ? "not-required" : mask === "unobserved" ? "unobserved" : mask === "no" ? "alarm" : "proven";
  return [
    { must: "asked", state: asked },
    { must: "measured", state: measured },
    { must: "registered", state: registered.how === "none" ? "unobserved" : "proven" },
    { must: "mask", state: worn },
  ];
}

/** What a record takes for the name of a reason (core/entry/record.py). */
const reasonName = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

/** Where and by whom, and what the phone knew: the same for every record of a moment. */
export interface Moment {
  readonly venue: string;
  readonly entrance: string;
  readonly guard: string;
  readonly occurredAt: string;
  readonly clockSure: boolean;
  readonly lease: string;
}

/** The one record of a visit: an act, with each of the three musts as it was observed. */
export function recordOf(visitor: Visitor, verdict: Verdict, door: DoorDocument, kind: Kind, at: Moment): EntryRecord {
  const role = roleOf(visitor);
  const policy = policyFor(door, role);
  const { finding, questions, temperature, registered, mask } = visitor;
  const asked = policy.questions.length === 0 ? "not-required" : questions === null ? "unobserved" : "asked";
  return {
    kind, role, answer: finding.answer, reason: reasonName.test(finding.reason) ? finding.reason : "published", requirement: verdict.requirement,
    findings: [...new Set(verdict.findings.map((found) => found.requirement))],
    venue: at.venue, entrance: at.entrance, zone: door.zone, occurred_at: at.occurredAt, policy: policy.id, who: finding.who,
    asked: { state: asked, answers: asked === "asked" ? { ...questions } : {} },
    measured: temperature
      ? { state: "measured", tenths: temperature.tenths, thermometer: temperature.thermometer }
      : { state: policy.temperature ? "unobserved" : "not-required" },
    registered, mask: mask === "yes" ? "worn" : mask === "no" ? "missing" : "unobserved",
    guard: at.guard, companions: visitor.minors, offline: finding.offline,
    feed_as_of: finding.asOfMs === null ? null : new Date(finding.asOfMs).toISOString(),
    clock: at.clockSure ? "sure" : "unsure", lease: at.lease, visit: visitor.visit,
  };
}

export type Field = "green" | "yellow" | "red" | "unknown" | "ink";

/** The large field: a status colour only where colour and act agree (ui.md 3). */
export function fieldOf(answer: DoorAnswer, outcome: Verdict["outcome"]): Field {
  if (answer === "green") return outcome === "admit" ? "green" : "ink";
  if (answer === "yellow") return outcome === "ask" || outcome === "isolate" ? "yellow" : "ink";
  if (answer === "red") return outcome === "isolate" || outcome === "refuse" ? "red" : "ink";
  return outcome === "ask" ? "unknown" : "ink";
}
