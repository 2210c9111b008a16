// A status kept on a phone: times worked out by hand.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Status, shapeOf, statusAt, testHours } from "./status.ts";

const status: Status = {
  colour: "yellow",
  reason: { key: "k", zh: "同场", en: "Same place" },
  advice: null,
  until: "2026-06-12T16:00:00Z",
  next_change: { at: "2026-06-12T16:00:00Z", colour: "green" },
  sampled_at: "2026-06-07T19:40:00Z",
  as_of: "2026-06-08T02:00:00Z",
  now_ms: 0,
};
const turn = Date.parse("2026-06-12T16:00:00Z");

test("until the very moment of change the old colour holds, from it the new one", () => {
  assert.equal(statusAt(status, turn - 1).colour, "yellow");
  assert.equal(statusAt(status, turn).colour, "green");
});

test("the reason ends with its colour", () => {
  assert.equal(statusAt(status, turn).reason, null);
});

test("a test's age is whole hours from the end of its ten minutes, 19:50, as a door counts it", () => {
  assert.equal(testHours(status, Date.parse("2026-06-09T02:49:59Z")), 30);
  assert.equal(testHours(status, Date.parse("2026-06-09T02:50:00Z")), 31);
  const late = { ...status, sampled_at: "2026-06-07T19:49:59Z" };
  assert.equal(testHours(late, Date.parse("2026-06-09T02:49:59Z")), 30);
  assert.equal(testHours(late, Date.parse("2026-06-09T02:50:00Z")), 31);
  assert.equal(testHours(status, Date.parse("2026-06-07T19:45:00Z")), 0);
  assert.equal(testHours({ ...status, sampled_at: null }, turn), null);
});

test("closed is shown by the shape of unknown, never as green", () => {
  assert.equal(shapeOf("closed"), "unknown");
});
