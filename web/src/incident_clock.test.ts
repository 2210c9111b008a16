// Expected values are ui.md's own examples and the pictures' (21:07, 6分07秒, 1时30分).

import assert from "node:assert/strict";
import { test } from "node:test";
import { ageText, amountText } from "./incident_clock.ts";

test("the clock since found", () => {
  assert.equal(ageText((21 * 60 + 7) * 1000), "21:07");
  assert.equal(ageText((90 * 60 + 5) * 1000), "1:30:05");
  assert.equal(ageText(-5), "00:00");
});

test("how late, how much is left", () => {
  assert.equal(amountText(367_999, "zh", true), "6分07秒");
  assert.equal(amountText(180_000, "zh", false), "3分");
  assert.equal(amountText(90 * 60_000, "zh", true), "1时30分");
  assert.equal(amountText(42_000, "zh", false), "42秒");
  assert.equal(amountText(90 * 60_000, "en", false), "1 h 30 min");
});
