// A keyboard scanner's typing, key by key (field/09-pl1.md 2.8: strip nothing, collapse nothing).

import assert from "node:assert/strict";
import { test } from "node:test";
import { Wedge } from "./wedge.ts";

function type(text: string, gapMs = 5): string[] {
  const found: string[] = [];
  const wedge = new Wedge((code) => found.push(code));
  let now = 10_000;
  for (const key of text) wedge.key(key === "\n" ? "Enter" : key, (now += gapMs));
  return found;
}

test("a code is what stands between PL1: and Enter", () => {
  assert.deepEqual(type("PL1:ABC\n"), ["PL1:ABC"]);
});

test("two spaces in a row stay two", () => {
  assert.deepEqual(type("PL1:A  B\n"), ["PL1:A  B"]);
});

test("typing that is no code stays with the page", () => {
  assert.deepEqual(type("PL2:ABC\n"), []);
  assert.deepEqual(type("310101\n"), []);
});

test("a code may follow other typing", () => {
  assert.deepEqual(type("xPPL1:A\n"), ["PL1:A"]);
});

test("two seconds between keys is a slow scanner; four is another code", () => {
  assert.deepEqual(type("PL1:AB\n", 2_000), ["PL1:AB"]);
  assert.deepEqual(type("PL1:AB\n", 4_000), []);
});

test("a text without end is cut where no verifier accepts it", () => {
  assert.equal(type(`PL1:${"A".repeat(10_000)}\n`)[0]?.length, 179);
});

test("Shift and other named keys do not break a code", () => {
  const found: string[] = [];
  const wedge = new Wedge((code) => found.push(code));
  for (const [i, key] of ["Shift", "P", "L", "1", "Shift", ":", "Q", "Enter"].entries()) wedge.key(key, 1_000_000 + i);
  assert.deepEqual(found, ["PL1:Q"]);
});
