// What the door's screen shows, worked out from the last event and the time since: no document, no clock.
// The field rule of ui.md 3 is held here once more: a large colour only where colour and outcome agree.

import type { Texts } from "./page.ts";

export type Field = "green" | "yellow" | "red" | "unknown" | "ink";
export type Act = "admit" | "ask" | "refuse" | "isolate";

/** The state that the box sends (gate/kiosk.py, state_to_json). */
export interface DoorState {
  readonly screen: "idle" | "checking" | "result";
  readonly venue: Texts;
  readonly entrance: Texts;
  readonly verdict: { readonly outcome: Act; readonly requirement: string; readonly prompt: string } | null;
  readonly answer: string;
  readonly say: Texts | null;
  readonly field: Field;
  readonly temperature: number | null;
  readonly test_hours: number | null;
  readonly offline: boolean;
  readonly as_of: number | null;
  readonly waiting: number;
  readonly inside: number | null;
  readonly cap: number | null;
  readonly clock_sure: boolean;
  /** What this door wants scanned: the posted code, or the visitor's own here; never both. */
  readonly asks: "venue-code" | "sentinel" | "either";
  /** Whether emergency care may be asked for at the screen itself. */
  readonly care: boolean;
}

export interface Times {
  /** Milliseconds since the box was last heard; nothing heard yet is Infinity. */
  readonly silentMs: number;
  /** Milliseconds since the state was shown, by the box's own count. */
  readonly ageMs: number;
  readonly resultMs: number;
  readonly askMs: number;
}

export interface ResultView {
  readonly kind: "result";
  readonly field: Field;
  readonly sign: string;
  /** A code of the catalogue. */
  readonly word: string;
  /** What to do, in words; null when the word says it. */
  readonly act: string | null;
  readonly say: Texts | null;
  /** The status beside a field of another colour. */
  readonly chip: "green" | "yellow" | "red" | "unknown" | null;
  readonly outcome: Act;
  readonly facts: boolean;
  readonly left: boolean;
}

export type View = { readonly kind: "start" | "stale" | "idle" | "checking" } | ResultView;

/** A page that hears nothing for this long shows nothing of before. */
export const silentMs = 5_000;

const agreeing: Readonly<Record<string, readonly Act[]>> = {
  green: ["admit"], yellow: ["ask", "isolate"], red: ["isolate", "refuse"], unknown: ["ask"],
};
const signs: Readonly<Record<Act, string>> = { admit: "i-arrowup", ask: "i-hand", refuse: "i-stop", isolate: "i-pause" };

/** Returns the status that an answer is; what is neither is not known. */
export function statusOf(answer: string): "green" | "yellow" | "red" | "unknown" {
  return answer === "green" || answer === "yellow" || answer === "red" ? answer : "unknown";
}

/** Returns what the screen shows now. */
export function viewOf(state: DoorState | null, times: Times): View {
  if (times.silentMs >= silentMs) return { kind: Number.isFinite(times.silentMs) ? "stale" : "start" };
  if (state === null) return { kind: "start" };
  if (state.screen === "checking") return { kind: "checking" };
  if (state.screen !== "result" || state.verdict === null) return { kind: "idle" };
  const { outcome, prompt } = state.verdict;
  if (times.ageMs >= (outcome === "admit" ? times.resultMs : times.askMs)) return { kind: "idle" };
  return resultOf(state, outcome, prompt);
}

function resultOf(state: DoorState, outcome: Act, prompt: string): ResultView {
  const status = statusOf(state.answer);
  const left = outcome === "admit" && prompt === "";
  const agrees = !left && state.field === status && (agreeing[status] ?? []).includes(outcome);
  const facts = !left && outcome !== "isolate";
  if (agrees) {
    return {
      kind: "result", field: status, sign: `s-${status}`, word: `kiosk.word.${status}`,
      act: state.say && outcome !== "admit" ? null : `kiosk.act.${outcome}`,
      say: outcome === "admit" ? null : state.say, chip: null, outcome, facts, left,
    };
  }
  return {
    kind: "result", field: "ink", sign: left ? "i-door" : signs[outcome],
    word: left ? "kiosk.act.left" : `kiosk.act.${outcome}`, act: null, say: left ? null : state.say,
    chip: left ? null : status, outcome, facts, left,
  };
}
