// Time on a phone whose own clock may be wrong (field/09 4.1, 4.2).

import assert from "node:assert/strict";
import { test } from "node:test";

import { TrustedClock } from "./clock.ts";

function hands(): { wall: number; mono: number; clock: TrustedClock } {
  const made = { wall: 1_000_000, mono: 500 } as { wall: number; mono: number; clock: TrustedClock };
  made.clock = new TrustedClock({ wall: () => made.wall, monotonic: () => made.mono });
  return made;
}

test("an exchange puts a wrong wall clock right", () => {
  const h = hands();
  assert.equal(h.clock.confirmed, false);
  h.clock.exchange(9_000_000);
  h.wall += 3_000;
  h.mono += 3_000;
  assert.equal(h.clock.now(), 9_003_000);
  assert.equal(h.clock.confirmed, true);
});

test("a wall clock moved by more than 5 s is overruled by the monotonic clock", () => {
  const h = hands();
  h.clock.exchange(9_000_000);
  h.wall += 3_600_000;
  h.mono += 1_000;
  assert.equal(h.clock.now(), 9_001_000);
  h.wall -= 7_200_000;
  assert.equal(h.clock.now(), 9_001_000);
});

test("a drift of up to 5 s follows the wall clock: the control of the rule above", () => {
  const h = hands();
  h.clock.exchange(9_000_000);
  h.wall += 6_000;
  h.mono += 1_000;
  assert.equal(h.clock.now(), 9_006_000);
});

test("after a restart the last offset counts, unconfirmed, and an exchange replaces it", () => {
  const h = hands();
  h.clock.restore(-40_000);
  assert.equal(h.clock.now(), 960_000);
  assert.equal(h.clock.confirmed, false);
  h.wall += 3_600_000; // set ahead by hand, without network
  assert.equal(h.clock.now(), 960_000);
  h.clock.exchange(2_000_000);
  h.clock.restore(-40_000);
  assert.equal(h.clock.now(), 2_000_000);
});
