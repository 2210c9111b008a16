// Temperatures as people type them; expected values by hand (37.3 °C is 373 tenths; 99.1 °F would be it in Fahrenheit).

import assert from "node:assert/strict";
import { test } from "node:test";
import { readTemperature, temperatureText } from "./temperature.ts";

test("degrees Celsius in the ways that people type them", () => {
  const typed: [string, number][] = [["36.5", 365], ["36,5", 365], ["36。5", 365], ["３７．３", 373], ["37.3 °C", 373], ["37C", 370], ["37.25", 373]];
  for (const [text, tenths] of typed) assert.deepEqual(readTemperature(text), { tenths }, text);
});

test("another unit is an error and never a fever", () => {
  for (const text of ["97.7", "99.1", "104", "98.6F", "98.6 °F"]) assert.deepEqual(readTemperature(text), { fault: "fahrenheit" }, text);
});

test("what nobody can have is refused, at both ends", () => {
  for (const text of ["33.9", "43.1", "365", "0", "3.7"]) assert.deepEqual(readTemperature(text), { fault: "range" }, text);
  assert.deepEqual(readTemperature("34"), { tenths: 340 }); // control: the limits themselves
  assert.deepEqual(readTemperature("43.0"), { tenths: 430 });
});

test("what is no number is refused in words of its own", () => {
  assert.deepEqual(readTemperature("  "), { fault: "empty" });
  for (const text of ["high", "-36.5", "36.5.1", "3e1", "36.555"]) assert.deepEqual(readTemperature(text), { fault: "form" }, text);
});

test("a temperature is written with one decimal and its unit", () => {
  assert.equal(temperatureText(364), "36.4\u00a0°C");
  assert.equal(temperatureText(370), "37.0\u00a0°C");
});
