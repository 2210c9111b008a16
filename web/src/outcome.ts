// From an answer to an act: what the checker does, the sign, and whether the colour fills the field (ui.md 3).

export type Answer = "green" | "yellow" | "red" | "undetermined" | "expired" | "not-found" | "closed" | "away";
export type Act = "admit" | "ask" | "refuse" | "isolate";

export interface Outcome {
  readonly act: Act;
  /** The large field: a status only where colour and act agree, else ink. */
  readonly field: "green" | "yellow" | "red" | "unknown" | "ink";
  /** Why the act differs from the colour; null when it follows from the answer. */
  readonly test: "old" | "none" | null;
}

/**
 * Everyone who enters has a test within the limit; red and yellow go to the isolation area;
 * whatever is not known is asked about. An error is never red and never green.
 */
export function outcomeOf(answer: Answer, testHours: number | null, limitHours: number): Outcome {
  if (answer === "red" || answer === "yellow") return { act: "isolate", field: answer, test: null };
  if (answer !== "green") return { act: "ask", field: "unknown", test: null };
  if (testHours === null) return { act: "ask", field: "ink", test: "none" };
  if (testHours > limitHours) return { act: "refuse", field: "ink", test: "old" };
  return { act: "admit", field: "green", test: null };
}
