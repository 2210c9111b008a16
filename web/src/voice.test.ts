// Which recordings a prompt is made of, as gate/speaker.py makes it of the same files.

import assert from "node:assert/strict";
import { test } from "node:test";

const recorded = { admit: "a", "admit.emergency": "b", refuse: "c", test: "d", ask: "e", "mask.unobserved": "f" };

test("a prompt is the finding, then what to do; the outcome alone when nothing else was recorded", async () => {
  Object.assign(globalThis, { document: { documentElement: { lang: "zh-Hans" }, getElementById: () => null } });
  const { partsOf } = await import("./voice.ts");
  const said: [string, readonly string[]][] = [
    ["admit", ["admit"]], ["admit.emergency", ["admit.emergency"]], ["refuse.test", ["test", "refuse"]],
    ["ask.mask.unobserved", ["mask.unobserved", "ask"]], ["ask.full", ["ask"]], ["isolate.red", []],
  ];
  for (const [prompt, parts] of said) assert.deepEqual(partsOf(prompt, recorded), parts, prompt);
});
