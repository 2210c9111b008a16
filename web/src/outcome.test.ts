// The field rule of ui.md 3 and the seeds' rule of entry (48 h for everyone), case by case.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, outcomeOf } from "./outcome.ts";

test("green with a test inside the limit is admitted under a green field", () => {
  assert.deepEqual(outcomeOf("green", 31, 48), { act: "admit", field: "green", test: null });
  assert.deepEqual(outcomeOf("green", 48, 48), { act: "admit", field: "green", test: null });
});

test("a green code that means no is never a green field", () => {
  assert.deepEqual(outcomeOf("green", 49, 48), { act: "refuse", field: "ink", test: "old" });
  assert.deepEqual(outcomeOf("green", null, 48), { act: "ask", field: "ink", test: "none" });
});

test("red and yellow are isolated under their own colour, whatever the test", () => {
  assert.deepEqual(outcomeOf("red", 1, 48), { act: "isolate", field: "red", test: null });
  assert.deepEqual(outcomeOf("yellow", null, 48), { act: "isolate", field: "yellow", test: null });
});

test("what is not known is never red and never green", () => {
  for (const answer of ["undetermined", "expired", "not-found", "closed", "away"] satisfies Answer[]) {
    assert.deepEqual(outcomeOf(answer, 1, 48), { act: "ask", field: "unknown", test: null });
  }
});
