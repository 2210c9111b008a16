// The decision at a door: one outcome, one reason, the words to say. Twin of core/entry/decide.py; both run vectors/verdicts.

import { ageSeconds, isWithinDays, isWithinHours } from "./sampling.ts";
import type { DoorAnswer } from "./verify.ts";

export type Outcome = "admit" | "ask" | "refuse" | "isolate";
export interface Two { readonly zh: string; readonly en: string }

/** In this order a verdict names its reason when two are equally grave. */
export const requirements = [
  "red", "yellow", "unknown", "expired", "not-found", "closed", "test", "test-none", "mask", "temperature",
  "symptoms", "travel", "declaration", "full", "registration", "guardian",
] as const;
export type Requirement = (typeof requirements)[number];
/** What a door can fail to observe. */
export const watched = ["mask", "questions", "temperature", "room"] as const;
export type Watched = (typeof watched)[number];
export const roles = ["visitor", "staff", "staff-reentry", "companion", "courier"] as const;
export type Role = (typeof roles)[number];

/** The outcome of one failed requirement; `basis` is the clause that gives it, or "setting". */
export interface Failure { readonly outcome: Outcome; readonly say: Two; readonly basis: string }
export interface Question { readonly id: string; readonly text: Two; readonly alarming: boolean; readonly requirement: Requirement }
export type TestRule =
  | { readonly counts: "elapsed"; readonly hours_max: number }
  | { readonly counts: "calendar"; readonly days_max: number };

/** What one role must show, as the door document carries it. */
export interface DoorPolicy {
  readonly id: string;
  readonly role: Role;
  readonly venue_class: string;
  readonly colours: readonly ("green" | "yellow" | "red")[];
  readonly test: TestRule | null;
  /** Tenths of °C: a setting, never law. */
  readonly temperature: { readonly limit: number; readonly required: boolean } | null;
  readonly mask: boolean;
  readonly registration: boolean;
  readonly questions: readonly Question[];
  readonly unobserved: Readonly<Partial<Record<Watched, Failure>>>;
  readonly failures: Readonly<Partial<Record<Requirement, Failure>>>;
  readonly freshness_seconds: number;
  readonly basis: string;
}

/** All that one entrance needs to decide by itself; the payload of a signed envelope. */
export interface DoorDocument {
  readonly format: 1;
  readonly realm: string;
  readonly venue: string;
  readonly entrance: string;
  readonly zone: string;
  readonly venue_name: Two;
  readonly entrance_name: Two;
  readonly hall: string | null;
  readonly plan: string;
  readonly plan_version: string;
  readonly policies: readonly DoorPolicy[];
  /** Minutes ahead of UTC. */
  readonly offset: number;
  readonly emergency: boolean;
  readonly one_of: "venue-code" | "sentinel" | "either";
  readonly one_of_minutes: number;
  readonly standing_places: number | null;
  readonly made_at: string;
  readonly effective_until: string;
  readonly seal: string;
}

/** One visitor at a door: the answer to their code or document, and what was observed. */
export interface Presented {
  readonly answer: DoorAnswer;
  readonly reason: string;
  /** POSIX seconds. */
  readonly sampledFrom: number | null;
  readonly temperature: { readonly tenths: number; readonly thermometer: string } | null;
  readonly mask: "yes" | "no" | "unobserved";
  /** Null: nobody asked. */
  readonly questions: Readonly<Record<string, boolean>> | null;
  readonly registered: { readonly how: RegisteredBy; readonly reference: string } | null;
  readonly room: "free" | "full" | "unknown";
  readonly emergency: boolean;
}
export type RegisteredBy = "code" | "document" | "paper" | "guardian" | "companion" | "none";

/** One requirement that is not met; `unobserved` when nobody looked. */
export interface Finding { readonly requirement: Requirement; readonly outcome: Outcome; readonly say: Two; readonly unobserved: boolean }

/** What the door does with one visitor; `findings` keeps all that was not met, gravest first. */
export interface Verdict {
  readonly outcome: Outcome;
  /** Empty when admitted; "emergency" when care goes before everything. */
  readonly requirement: Requirement | "emergency" | "";
  readonly say: Two;
  /** The code of the recorded prompt. */
  readonly prompt: string;
  readonly ageHours: number | null;
  readonly findings: readonly Finding[];
}

export interface Moment {
  /** POSIX seconds. */
  readonly now: number;
  /** The realm's, in minutes. */
  readonly offset: number;
}

const gravity: Readonly<Record<Outcome, number>> = { admit: 0, ask: 1, refuse: 2, isolate: 3 };
const ofAnswer: Readonly<Record<Exclude<DoorAnswer, "green">, Requirement>> = {
  yellow: "yellow", red: "red", undetermined: "unknown", expired: "expired", "not-found": "not-found", closed: "closed",
};
const ofWatched: Readonly<Record<Watched, Requirement>> = {
  mask: "mask", questions: "declaration", temperature: "temperature", room: "full",
};
const admitted: Two = { zh: "请进。", en: "Please go in." };
const straightIn: Two = { zh: "急诊，请直接就诊。", en: "Emergency. Please go straight in." };

/** Returns the verdict: the gravest outcome wins, among equals the first requirement. */
export function decide(policy: DoorPolicy, presented: Presented, { now, offset }: Moment): Verdict {
  const findings = [...failures(policy, presented, { now, offset }), ...unseen(policy, presented)].sort(byGravity);
  const ageHours = presented.sampledFrom === null ? null : Math.floor(ageSeconds(presented.sampledFrom, now) / 3600);
  if (presented.emergency) {
    return { outcome: "admit", requirement: "emergency", say: straightIn, prompt: "admit.emergency", ageHours, findings };
  }
  const worst = findings[0];
  if (!worst) return { outcome: "admit", requirement: "", say: admitted, prompt: "admit", ageHours, findings };
  const prompt = `${worst.outcome}.${worst.requirement}${worst.unobserved ? ".unobserved" : ""}`;
  return { outcome: worst.outcome, requirement: worst.requirement, say: worst.say, prompt, ageHours, findings };
}

/** Returns whether a test is recent enough; its ten-minute grid favours the resident. */
export function isRecent(rule: TestRule, sampledFrom: number, { now, offset }: Moment): boolean {
  if (rule.counts === "calendar") return isWithinDays(sampledFrom, now, rule.days_max, offset);
  return isWithinHours(sampledFrom, now, rule.hours_max);
}

function byGravity(one: Finding, other: Finding): number {
  return gravity[other.outcome] - gravity[one.outcome]
    || requirements.indexOf(one.requirement) - requirements.indexOf(other.requirement);
}

function failures(policy: DoorPolicy, presented: Presented, moment: Moment): Finding[] {
  // Two questions may stand for one requirement.
  return [...new Set(failed(policy, presented, moment))].map((requirement) => {
    const { outcome, say } = policy.failures[requirement]!;
    return { requirement, outcome, say, unobserved: false };
  });
}

function* failed(policy: DoorPolicy, presented: Presented, moment: Moment): Generator<Requirement> {
  const { answer, sampledFrom, temperature, registered } = presented;
  const isColour = answer === "green" || answer === "yellow" || answer === "red";
  if (!isColour || !policy.colours.includes(answer)) yield ofAnswer[answer as Exclude<DoorAnswer, "green">];
  // Without a verified answer there is no test to judge: the answer is what must be settled.
  if (policy.test && isColour) {
    if (sampledFrom === null) yield "test-none";
    else if (!isRecent(policy.test, sampledFrom, moment)) yield "test";
  }
  if (policy.mask && presented.mask === "no") yield "mask";
  if (policy.temperature && temperature && temperature.tenths >= policy.temperature.limit) yield "temperature";
  yield* alarming(policy, presented.questions);
  if (presented.room === "full") yield "full";
  if (policy.registration && (registered === null || registered.how === "none")) yield "registration";
}

/** What the answers say; a question without an answer is a declaration not made. */
function* alarming(policy: DoorPolicy, answers: Presented["questions"]): Generator<Requirement> {
  if (answers === null) return;
  for (const { id, alarming: alarm, requirement } of policy.questions) {
    if (!Object.hasOwn(answers, id)) yield "declaration";
    else if (answers[id] === alarm) yield requirement;
  }
}

/** What nobody observed, where that stops somebody. */
function unseen(policy: DoorPolicy, presented: Presented): Finding[] {
  const missed: Watched[] = [];
  if (policy.mask && presented.mask === "unobserved") missed.push("mask");
  if (policy.questions.length > 0 && presented.questions === null) missed.push("questions");
  if (policy.temperature?.required && presented.temperature === null) missed.push("temperature");
  if (presented.room === "unknown") missed.push("room");
  return missed
    .map((name) => ({ requirement: ofWatched[name], ...policy.unobserved[name]!, unobserved: true }))
    .filter(({ outcome }) => outcome !== "admit")
    .map(({ requirement, outcome, say }) => ({ requirement, outcome, say, unobserved: true }));
}
