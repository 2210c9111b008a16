// Every verdict vector in TypeScript: the same files as the core, the gate and the gateway.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { type CheckIn, type EntryRecord, type Musts, type OneScan, musts, scanAsked } from "./entry.ts";
import { type DoorPolicy, type Presented, decide, isRecent } from "./verdict.ts";

interface Shown extends Omit<Presented, "sampledFrom"> { readonly sampled_from: number | null }
interface Row {
  readonly name: string; readonly policy: string; readonly presented: Shown; readonly now: number; readonly offset: number;
  readonly expect: { readonly outcome: string; readonly requirement: string; readonly prompt: string; readonly age_hours?: number };
}
interface Verdicts { readonly about: string; readonly policies: Record<string, DoorPolicy>; readonly vectors: readonly Row[] }
interface Scans { readonly vectors: readonly { name: string; door: OneScan; check_in: CheckIn | null; now: number; expect: string }[] }
type Record3 = Pick<EntryRecord, "asked" | "measured" | "registered" | "who">;
interface Ticks { readonly vectors: readonly { name: string; record: Record3; expect: Musts }[] }

const folder = join(import.meta.dirname, "..", "vectors", "verdicts");
const read = <T>(name: string) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as T;
const files = ["answers", "hours", "days", "observations", "together"].map((name) => read<Verdicts>(name));

function presentedOf({ sampled_from, ...shown }: Shown): Presented {
  return { ...shown, sampledFrom: sampled_from };
}

let count = 0;
for (const { about, policies, vectors } of files) {
  for (const { name, policy, presented, now, offset, expect } of vectors) {
    count += 1;
    test(`${about}: ${name}`, () => {
      const verdict = decide(policies[policy]!, presentedOf(presented), { now, offset });
      const { outcome, requirement, prompt } = verdict;
      assert.deepEqual({ outcome, requirement, prompt }, { outcome: expect.outcome, requirement: expect.requirement, prompt: expect.prompt });
      if (expect.age_hours !== undefined) assert.equal(verdict.ageHours, expect.age_hours);
    });
  }
}

test("all vectors were read", () => assert.ok(count >= 80));

test("findings stand in order, each once", () => {
  const { policies } = files.find((file) => file.about === "together")!;
  const nothing = presentedOf({
    answer: "red", reason: "status", sampled_from: null, temperature: { tenths: 390, thermometer: "t-1" }, mask: "no",
    questions: {}, registered: null, room: "full", emergency: false,
  });
  const { findings } = decide(policies["visitor"]!, nothing, { now: 0, offset: 480 });
  // By hand from the policy: isolated first (red, temperature), then refused (full), then asked, each in order.
  assert.deepEqual(findings.map((found) => found.requirement), [
    "red", "temperature", "full", "test-none", "mask", "declaration", "registration",
  ]);
});

// Controls: naive doors that the vectors must catch.
const naive: Record<string, (policy: DoorPolicy, presented: Presented, at: { now: number; offset: number }) => string> = {
  "takes every green in": (_policy, presented) => (presented.answer === "green" ? "admit" : "ask"),
  "counts the age to the second": (policy, presented, at) =>
    policy.test && presented.sampledFrom !== null && isRecent(policy.test, presented.sampledFrom, { ...at, now: at.now + 600 })
      ? decide(policy, presented, at).outcome
      : decide(policy, { ...presented, sampledFrom: 0 }, at).outcome,
  "forgets what nobody saw": (policy, presented, at) =>
    decide({ ...policy, mask: policy.mask && presented.mask !== "unobserved" }, presented, at).outcome,
  "sends emergencies away": (policy, presented, at) => decide(policy, { ...presented, emergency: false }, at).outcome,
};
for (const [name, door] of Object.entries(naive)) {
  test(`a door that ${name} is caught`, () => {
    const wrong = files.flatMap(({ policies, vectors }) =>
      vectors.filter(({ policy, presented, now, offset, expect }) =>
        door(policies[policy]!, presentedOf(presented), { now, offset }) !== expect.outcome));
    assert.notEqual(wrong.length, 0);
  });
}

for (const { name, door, check_in, now, expect } of read<Scans>("one-scan").vectors) {
  test(`one scan: ${name}`, () => assert.equal(scanAsked(door, check_in, now), expect));
}
for (const { name, record, expect } of read<Ticks>("musts").vectors) {
  test(`musts: ${name}`, () => assert.deepEqual(musts(record), expect));
}
