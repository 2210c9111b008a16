// Running clocks; expected values by hand (3967 s are 1 h, 6 min and 7 s).

import assert from "node:assert/strict";
import { test } from "node:test";
import { elapsedText } from "./elapsed.ts";

test("minutes and seconds, hours only when there are any", () => {
  const shown: [number, string][] = [[0, "0:00"], [7.9, "0:07"], [367, "6:07"], [3599, "59:59"], [3600, "1:00:00"], [3967, "1:06:07"], [90000, "25:00:00"]];
  for (const [seconds, text] of shown) assert.equal(elapsedText(seconds), text);
});

test("a clock of this machine that is behind shows nothing negative", () => {
  assert.equal(elapsedText(-5), "0:00");
});
