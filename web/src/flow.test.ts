// One visitor before the door: which one act comes next, and what the record will prove. The policy is written here by
// hand after S4 三(二)1 and 4 (48 h for everyone, 24 h at the start of work) and S0 措施5 (必询问、必测温、必登记).

import assert from "node:assert/strict";
import { test } from "node:test";
import type { DoorDocument, DoorPolicy, Failure, Outcome, Role } from "./core/verdict.ts";
import { musts } from "./core/entry.ts";
import {
  type Finding, type Visitor, fieldOf, mustsOf, newVisitor, nothing, othersOf, policyFor, primaryOf, recordOf, roleOf, verdictOf,
} from "./flow.ts";

const now = 1_800_000_000;
const hour = 3_600;
const stop = (outcome: Outcome): Failure => ({ outcome, say: { zh: "话", en: "words" }, basis: "setting" });

function policy(role: Role, hours: number): DoorPolicy {
  return {
    id: `plan@1/service-hall/${role}`, role, venue_class: "service-hall", colours: ["green"], test: { counts: "elapsed", hours_max: hours },
    temperature: { limit: 373, required: true }, mask: true, registration: true,
    questions: [{ id: "symptoms", text: { zh: "有没有发热咳嗽", en: "Any fever or cough" }, alarming: true, requirement: "symptoms" }],
    unobserved: { mask: stop("ask"), questions: stop("ask"), temperature: stop("ask"), room: stop("ask") },
    failures: {
      red: stop("isolate"), yellow: stop("isolate"), unknown: stop("ask"), expired: stop("ask"), "not-found": stop("ask"), closed: stop("ask"),
      test: stop("refuse"), "test-none": stop("refuse"), mask: stop("ask"), temperature: stop("isolate"), symptoms: stop("isolate"),
      declaration: stop("ask"), full: stop("ask"), registration: stop("ask"),
    },
    freshness_seconds: 600, basis: "方案三（二）1",
  };
}

const door = {
  format: 1, realm: "sim", venue: "v", entrance: "n", zone: "h1", offset: 480, policies: [policy("visitor", 48), policy("staff", 24)],
} as unknown as DoorDocument;

function found(change: Partial<Finding> = {}): Finding {
  return {
    ...nothing, answer: "green", reason: "status", sampledFrom: now - 31 * hour, who: { realm: "sim", epoch: 300, index: 7 },
    asOfMs: (now - 3) * 1000, ...change,
  };
}

const seen = { mask: "yes", questions: { symptoms: false }, temperature: { tenths: 365, thermometer: "T1" } } as const;
const visit = "0b0f2a1e-6a5d-4d0e-9a3c-0a6a3b1c2d3e";

function act(visitor: Visitor): [string, string, string] {
  const verdict = verdictOf(visitor, door, now);
  return [verdict.outcome, verdict.requirement, primaryOf(visitor, verdict, policyFor(door, roleOf(visitor)))];
}

test("one thing after the other: mask, temperature, questions, then the door opens", () => {
  let visitor = newVisitor(visit, found());
  assert.deepEqual(act(visitor), ["ask", "mask", "mask"]);
  visitor = { ...visitor, mask: "yes" };
  assert.deepEqual(act(visitor), ["ask", "temperature", "temperature"]);
  visitor = { ...visitor, temperature: seen.temperature };
  assert.deepEqual(act(visitor), ["ask", "declaration", "questions"]);
  visitor = { ...visitor, questions: seen.questions };
  assert.deepEqual(act(visitor), ["admit", "", "admit"]);
});

test("what may pass unobserved can still be proven by one touch", () => {
  const lenient = { ...policyFor(door, "visitor"), unobserved: { ...policyFor(door, "visitor").unobserved, mask: stop("admit"), questions: stop("admit") } };
  const place = { ...door, policies: [lenient] };
  const visitor = newVisitor(visit, found(), { temperature: seen.temperature });
  const verdict = verdictOf(visitor, place, now);
  assert.equal(verdict.outcome, "admit");
  assert.deepEqual(othersOf(visitor, verdict, "admit", lenient), ["seen", "report"]);
  const proven = { ...visitor, ...seen };
  assert.deepEqual(othersOf(proven, verdictOf(proven, place, now), "admit", lenient), ["report"]);
});

test("red is isolated at once, whatever was seen or not", () => {
  assert.deepEqual(act(newVisitor(visit, found({ answer: "red" }))), ["isolate", "red", "isolate"]);
  const others = othersOf(newVisitor(visit, found({ answer: "red" })), verdictOf(newVisitor(visit, found({ answer: "red" })), door, now), "isolate", policyFor(door, "visitor"));
  assert.ok(!others.includes("admit"));
});

test("an old test is refused and no button lets in", () => {
  const visitor = newVisitor(visit, found({ sampledFrom: now - 61 * hour }), seen);
  assert.deepEqual(act(visitor), ["refuse", "test", "refuse"]);
  assert.ok(!othersOf(visitor, verdictOf(visitor, door, now), "refuse", policyFor(door, "visitor")).includes("admit"));
});

test("a fever is isolated, a yes to symptoms as well", () => {
  assert.deepEqual(act(newVisitor(visit, found(), { ...seen, temperature: { tenths: 373, thermometer: "T1" } })), ["isolate", "temperature", "isolate"]);
  assert.deepEqual(act(newVisitor(visit, found(), { ...seen, temperature: { tenths: 372, thermometer: "T1" } })), ["admit", "", "admit"]);
  assert.deepEqual(act(newVisitor(visit, found(), { ...seen, questions: { symptoms: true } })), ["isolate", "symptoms", "isolate"]);
});

test("what is not known asks for a document, and never admits by itself", () => {
  const visitor = newVisitor(visit, { ...nothing, reason: "stale" }, seen);
  const verdict = verdictOf(visitor, door, now);
  assert.equal(verdict.outcome, "ask");
  assert.equal(primaryOf(visitor, verdict, policyFor(door, "visitor")), "document");
  assert.ok(!othersOf(visitor, verdict, "document", policyFor(door, "visitor")).includes("admit"));
  const shown = { ...visitor, registered: { how: "document", reference: "" } } as const; // control: a document was looked at
  assert.ok(othersOf(shown, verdictOf(shown, door, now), "ask", policyFor(door, "visitor")).includes("admit"));
});

test("a full hall holds everybody, and asking does not open it", () => {
  const visitor = newVisitor(visit, found(), { ...seen, room: "full" });
  assert.deepEqual(act(visitor), ["ask", "full", "queue"]);
  assert.ok(!othersOf(visitor, verdictOf(visitor, door, now), "queue", policyFor(door, "visitor")).includes("admit"));
});

test("staff are known by the feed: 24 hours at the start of work, and no claim makes staff", () => {
  const staff = newVisitor(visit, found({ staff: true }), seen);
  assert.equal(roleOf(staff), "staff");
  assert.deepEqual(act(staff), ["refuse", "test", "refuse"]); // 31 hours
  const again = newVisitor(visit, found({ staff: true, started: true }), seen);
  assert.equal(roleOf(again), "staff-reentry");
  assert.deepEqual(act(again), ["admit", "", "admit"]); // no policy of its own here: as everybody, 48 hours
  assert.equal(roleOf(newVisitor(visit, found(), { claimed: "courier" })), "courier");
});

test("an emergency is never refused; what was found stays in the record", () => {
  const visitor = newVisitor(visit, found({ answer: "red" }), { emergency: true });
  const verdict = verdictOf(visitor, door, now);
  assert.deepEqual([verdict.outcome, verdict.requirement], ["admit", "emergency"]);
  const record = recordOf(visitor, verdict, door, "admit", moment);
  assert.ok(record.findings.includes("red"));
});

const moment = {
  venue: "v", entrance: "n", guard: "G07", occurredAt: "2026-06-08T02:42:07.000Z", clockSure: true, lease: "",
};

test("the record proves what was seen, and says of the rest that nobody saw it", () => {
  const whole = newVisitor(visit, found(), seen);
  const record = recordOf(whole, verdictOf(whole, door, now), door, "admit", moment);
  assert.deepEqual(musts(record), { asked: "proven", measured: "proven", registered: "proven" });
  assert.equal(record.mask, "worn");
  assert.deepEqual(record.measured, { state: "measured", tenths: 365, thermometer: "T1" });
  assert.equal(record.feed_as_of, "2027-01-15T07:59:57.000Z"); // 1,799,999,997 by `date -u`
  const blind = newVisitor(visit, found());
  const other = recordOf(blind, verdictOf(blind, door, now), door, "ask", moment);
  assert.deepEqual(musts(other), { asked: "unobserved", measured: "unobserved", registered: "proven" });
  assert.equal(other.mask, "unobserved");
});

test("a published reason of another form does not make the record unreadable", () => {
  const reason = (text: string) => recordOf(newVisitor(visit, found({ reason: text })), verdictOf(newVisitor(visit, found()), door, now), door, "ask", moment).reason;
  assert.deepEqual([reason("case.confirmed"), reason("规则/一")], ["case.confirmed", "published"]);
});

test("a slip of paper and a guardian's minors are in the record, and no name", () => {
  const visitor = newVisitor(visit, { ...nothing, who: { paper: "A-017" } }, { registered: { how: "paper", reference: "A-017" }, minors: 2 });
  const record = recordOf(visitor, verdictOf(visitor, door, now), door, "ask", moment);
  assert.equal(musts(record).registered, "proven");
  assert.deepEqual([record.who, record.companions], [{ paper: "A-017" }, 2]);
});

test("the row of ticks says alarm where an alarm is", () => {
  const states = (given: Partial<Visitor>) => mustsOf(newVisitor(visit, found(), given), policyFor(door, "visitor")).map((must) => must.state);
  assert.deepEqual(states({}), ["unobserved", "unobserved", "proven", "unobserved"]);
  assert.deepEqual(states({ ...seen }), ["proven", "proven", "proven", "proven"]);
  assert.deepEqual(states({ mask: "no", questions: { symptoms: true }, temperature: { tenths: 380, thermometer: "T1" } }), ["alarm", "alarm", "proven", "alarm"]);
});

test("a large coloured field only where colour and act agree (ui.md 3)", () => {
  assert.deepEqual([fieldOf("green", "admit"), fieldOf("green", "refuse"), fieldOf("green", "ask")], ["green", "ink", "ink"]);
  assert.deepEqual([fieldOf("yellow", "isolate"), fieldOf("yellow", "ask"), fieldOf("yellow", "admit")], ["yellow", "yellow", "ink"]);
  assert.deepEqual([fieldOf("red", "isolate"), fieldOf("red", "refuse"), fieldOf("red", "admit")], ["red", "red", "ink"]);
  for (const answer of ["undetermined", "expired", "not-found", "closed"] as const) {
    assert.deepEqual([fieldOf(answer, "ask"), fieldOf(answer, "admit")], ["unknown", "ink"]);
  }
});
