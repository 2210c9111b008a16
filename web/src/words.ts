// The words of the card: the one reason, what to say aloud, and what is shown when there is nothing to decide by.

import type { Shown } from "./card.ts";
import type { DoorPolicy, Two, Verdict } from "./core/verdict.ts";
import { type Visitor, fieldOf, nothing, roleOf } from "./flow.ts";
import { type Away, Refused } from "./gateway.ts";
import { both, known, make, timeText } from "./page.ts";

interface Situation {
  readonly visitor: Visitor;
  readonly verdict: Verdict;
  readonly policy: DoorPolicy;
  readonly place: Two;
  readonly atMs: number;
}

export function cardOf({ visitor, verdict, policy, place, atMs }: Situation): Omit<Shown, "primary" | "others" | "musts"> {
  const { finding } = visitor;
  return {
    answer: finding.answer, outcome: verdict.outcome, field: fieldOf(finding.answer, verdict.outcome),
    reason: reasonOf(visitor, verdict, policy), say: verdict.outcome === "admit" ? null : verdict.say, advice: finding.advice,
    testHours: verdict.ageHours, role: roleOf(visitor), roleFixed: finding.staff, place, atMs,
    offlineAsOf: finding.offline && finding.asOfMs !== null ? timeText(finding.asOfMs) : null,
    hasIdentity: finding.who !== null && "lookup" in finding.who || visitor.registered.how === "document", emergency: visitor.emergency,
  };
}

/** The one reason, as a fact; what to say about it stands below it in quotation marks. */
export function reasonOf({ finding, emergency }: Visitor, verdict: Verdict, policy: DoorPolicy): Two {
  if (emergency) return both("checker.reason_emergency");
  const { requirement } = verdict;
  if (requirement === "" || requirement === "emergency") return both("checker.reason_green");
  if (requirement === "test" && policy.test && verdict.ageHours !== null) {
    if (policy.test.counts === "elapsed") return both("checker.reason_test_old", { hours: verdict.ageHours, limit: policy.test.hours_max });
    return both("checker.reason_test_days", { days: policy.test.days_max });
  }
  const unseen = verdict.findings[0]?.unobserved ? "_unseen" : "";
  const code = `checker.reason.${requirement}${unseen}`;
  if (known(code)) return both(code);
  return finding.text ?? both("checker.reason_none");
}

/** Nobody could be asked, or this door has no rules yet: a question, never a colour. */
export function failureCard(of: { failure: Away | Refused | null; visitor: Visitor; place: Two; atMs: number }): Shown {
  const { failure, visitor, place, atMs } = of;
  const login = failure instanceof Refused && (failure.status === 401 || failure.status === 403);
  const refusal = failure instanceof Refused ? failure.texts : null;
  const away = failure ? both("checker.reason_away") : both("checker.reason_no_rules");
  const alone: Visitor = { ...visitor, finding: failure ? nothing : visitor.finding };
  // Without rules a colour admits nobody; red and yellow stay what they are.
  const { answer } = alone.finding;
  const stops = answer === "red" || answer === "yellow";
  return {
    answer: failure ? "away" : answer, outcome: stops ? "isolate" : "ask", field: stops ? answer : answer === "green" ? "ink" : "unknown",
    reason: login ? both("checker.reason_login") : (refusal ?? away), say: null, advice: alone.finding.advice, testHours: null,
    role: "visitor", roleFixed: false, place, atMs, offlineAsOf: null, hasIdentity: false, emergency: false,
    primary: stops ? "isolate" : "document", others: stops ? ["report"] : ["ask", "refuse", "report", "next"],
    musts: make("div"),
  };
}
