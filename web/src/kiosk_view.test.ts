// The field rule of ui.md 3 for every pair of answer and outcome, and what a silent box makes of a green.
import assert from "node:assert/strict";
import { test } from "node:test";
import { viewOf, type Act, type DoorState, type Field } from "./kiosk_view.ts";

const words = { zh: "字", en: "word" };
const times = { silentMs: 0, ageMs: 0, resultMs: 4_000, askMs: 20_000 };

function shown(outcome: Act, answer: string, field: Field, prompt = `${outcome}.x`): DoorState {
  return {
    screen: "result", venue: words, entrance: words, verdict: { outcome, requirement: "x", prompt }, answer, say: words, field,
    temperature: 365, test_hours: 12, offline: false, as_of: 1, waiting: 0, inside: 1, cap: 2, clock_sure: true, asks: "sentinel", care: false,
  };
}

test("a large colour is shown only where colour and outcome agree", () => {
  // Written down from ui.md 3: green + admit, yellow + ask or isolate, red + isolate or refuse, unknown + ask.
  const agree = new Set(["green admit", "yellow ask", "yellow isolate", "red isolate", "red refuse", "unknown ask"]);
  for (const answer of ["green", "yellow", "red", "undetermined", "expired", "not-found", "closed", ""]) {
    for (const outcome of ["admit", "ask", "refuse", "isolate"] as const) {
      for (const field of ["green", "yellow", "red", "unknown", "ink"] as const) {
        const status = ["green", "yellow", "red"].includes(answer) ? answer : "unknown";
        const view = viewOf(shown(outcome, answer, field), times);
        assert.equal(view.kind, "result");
        const expected = field === status && agree.has(`${status} ${outcome}`) ? status : "ink";
        assert.equal(view.kind === "result" && view.field, expected, `${answer} ${outcome} ${field}`);
      }
    }
  }
});

test("a silent box shows nothing of before", () => {
  const green = shown("admit", "green", "green", "admit");
  assert.equal(viewOf(green, { ...times, silentMs: 4_999 }).kind, "result");
  assert.equal(viewOf(green, { ...times, silentMs: 5_000 }).kind, "stale");
  assert.equal(viewOf(green, { ...times, silentMs: Infinity }).kind, "start");
  assert.equal(viewOf(null, times).kind, "start");
});

test("a result goes by itself; who must wait sees it longer", () => {
  assert.equal(viewOf(shown("admit", "green", "green", "admit"), { ...times, ageMs: 4_000 }).kind, "idle");
  assert.equal(viewOf(shown("isolate", "red", "red"), { ...times, ageMs: 4_000 }).kind, "result");
  assert.equal(viewOf(shown("isolate", "red", "red"), { ...times, ageMs: 20_000 }).kind, "idle");
});

test("leaving is no colour at all", () => {
  const view = viewOf(shown("admit", "green", "green", ""), times);
  assert.deepEqual(view.kind === "result" && [view.field, view.left, view.chip], ["ink", true, null]);
});
