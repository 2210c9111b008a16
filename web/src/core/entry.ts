// The record of one visitor at one door, as core/entry/record.py reads it, and its three musts (S0 必询问、必测温、必登记).

import type { DoorAnswer } from "./verify.ts";
import type { RegisteredBy, Requirement, Role } from "./verdict.ts";

export type Who =
  | { readonly realm: string; readonly epoch: number; readonly index: number }
  | { readonly lookup: string }
  | { readonly paper: string };

/** What happened with one visitor; written once and never changed. Times are ISO 8601 with an offset. */
export interface EntryRecord {
  readonly kind: "admit" | "ask" | "refuse" | "isolate" | "exit" | "report";
  readonly role: Role;
  readonly answer: DoorAnswer;
  readonly reason: string;
  readonly requirement: Requirement | "emergency" | "";
  /** The requirements that were not met, each once. */
  readonly findings: readonly Requirement[];
  readonly venue: string;
  readonly entrance: string;
  readonly zone: string;
  readonly occurred_at: string;
  readonly policy: string;
  readonly who: Who | null;
  readonly asked: { readonly state: "asked" | "unobserved" | "not-required"; readonly answers: Readonly<Record<string, boolean>> };
  readonly measured:
    | { readonly state: "measured"; readonly tenths: number; readonly thermometer: string }
    | { readonly state: "unobserved" | "not-required" };
  readonly registered: { readonly how: RegisteredBy; readonly reference: string };
  readonly mask: "worn" | "missing" | "unobserved";
  /** The badge of the guard who observed; empty when nobody did. */
  readonly guard: string;
  readonly companions: number;
  readonly offline: boolean;
  /** The moment of what the door knew. */
  readonly feed_as_of: string | null;
  readonly clock: "sure" | "unsure";
  /** The place that was taken; empty when none was. */
  readonly lease: string;
  /** Ties an exit to its entry. */
  readonly visit: string;
}

export type Must = "proven" | "unobserved" | "missing" | "not-required";
export interface Musts { readonly asked: Must; readonly measured: Must; readonly registered: Must }

/** Returns the three ticks: a must is proven only by what stands in the record itself. */
export function musts(record: Pick<EntryRecord, "asked" | "measured" | "registered" | "who">): Musts {
  return { asked: asked(record.asked), measured: measured(record.measured), registered: known(record) };
}

function asked({ state, answers }: EntryRecord["asked"]): Must {
  if (state === "asked") return Object.keys(answers).length > 0 ? "proven" : "missing";
  return state;
}

function measured(found: EntryRecord["measured"]): Must {
  // A figure of which nobody knows who took it proves nothing.
  if (found.state === "measured") return found.thermometer ? "proven" : "missing";
  return found.state;
}

function known({ registered: { how, reference }, who }: Pick<EntryRecord, "registered" | "who">): Must {
  if (how === "none") return "missing";
  if (how === "code" || how === "document") return who ? "proven" : "missing";
  return reference || (who && "paper" in who) ? "proven" : "missing";
}

/** A code at this door's venue code, before the visitor came to the door itself. */
export interface CheckIn {
  readonly venue: string;
  readonly entrance: string;
  /** POSIX seconds. */
  readonly at: number;
}

/** What a door document says of the one scan it asks for (field/01 1.2: never both). */
export interface OneScan {
  readonly venue: string;
  readonly entrance: string;
  readonly one_of: "venue-code" | "sentinel" | "either";
  readonly one_of_minutes: number;
}

const clockToleranceSeconds = 60;

/** Returns what this door may still ask to be scanned: nothing once the visitor checked in here in time. */
export function scanAsked(door: OneScan, checkIn: CheckIn | null, now: number): OneScan["one_of"] | "nothing" {
  if (checkIn === null || checkIn.venue !== door.venue || checkIn.entrance !== door.entrance) return door.one_of;
  const age = now - checkIn.at;
  return age >= -clockToleranceSeconds && age <= 60 * door.one_of_minutes ? "nothing" : door.one_of;
}
