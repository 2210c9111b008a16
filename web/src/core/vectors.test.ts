// Every vector of PL1 in TypeScript: the same files, answers and controls as in Python.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { encode } from "./base45.ts";
import { fromHex } from "./bytes.ts";
import { prefix } from "./layout.ts";
import { ReplaySet } from "./replay.ts";
import { ageSeconds, dayOf, isWithinDays, isWithinHours } from "./sampling.ts";
import { type TrustList, TrustRefused, readTrustPayload } from "./trust.ts";
import {
  type Answer, type Check, type ListState, type ReadDocument, type StatusSource, checks, runChecks, take,
} from "./verify.ts";

interface ListEntry {
  realm: string; purpose: string; epoch: number | null; as_of: number; size: number; states: Record<string, ListState>;
}
interface Scan { text: string | { prefix: string; fill: string; length: number }; now: number; interaction: string }
interface Vector extends Scan {
  name: string; trust: string; lists: ListEntry[]; lists_before?: ListEntry[]; before: Scan[];
  policy: { freshness_seconds: number; admission_point: boolean; suites: number[] };
  clock: { disciplined_at: number; floor: number; power_cut: boolean };
  document: Record<string, unknown> | null;
  expect: Record<string, unknown> & { answer: string; reason: string };
  control?: { off: string[]; set: Partial<Vector>; answer?: string };
}
interface Row {
  row: number; vectors: Vector[]; raw?: string; base?: Vector; bits?: Record<string, number[]>;
  refused?: { name: string; payload: unknown }[]; control?: unknown;
}

const folder = join(import.meta.dirname, "..", "vectors", "codes");
const read = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8")) as unknown;
const common = read("common.json") as { trust: Record<string, unknown> };
const trusts = new Map<string, TrustList>();
for (const [name, payload] of Object.entries(common.trust)) trusts.set(name, readTrustPayload(JSON.stringify(payload)));
const rows = readdirSync(folder).filter((name) => /^\d/.test(name)).sort().map((name) => read(name) as Row);
const offset = 480;

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const laxDecoder: Check = {
  answer: "not-found", reason: "encoding",
  holds: (reading) => {
    const symbols = [...reading.text.slice(4).replace("８", "8").toUpperCase()].map((symbol) => alphabet.indexOf(symbol));
    const raw = new Uint8Array((symbols.length / 3) * 2);
    for (let at = 0; at < symbols.length / 3; at += 1) {
      const value = symbols[3 * at]! + 45 * symbols[3 * at + 1]! + 2025 * symbols[3 * at + 2]!;
      raw[2 * at] = value >> 8;
      raw[2 * at + 1] = value;
    }
    take(reading, raw);
    return true;
  },
};

function checksWithout(off: string[]): Check[] {
  const kept = checks.filter((check) => check.reason === "encoding" || !off.includes(check.reason));
  return kept.map((check) => (check.reason === "encoding" && off.includes("encoding") ? laxDecoder : check));
}

function sourceOf(lists: ListEntry[]): StatusSource {
  return {
    view(realm, purpose, epoch) {
      const found = lists.find((list) => list.realm === realm && list.purpose === purpose && list.epoch === epoch);
      return found ? { asOf: found.as_of, size: found.size, state: (index) => found.states[index] ?? 0 } : null;
    },
  };
}

function documentOf(entry: Vector["document"]): ReadDocument | null {
  if (entry === null) return null;
  if (entry["kind"] === "paper") {
    return { kind: "paper", maskedName: entry["masked_name"] as string, birth: entry["birth"] as [number, number] | null };
  }
  const keys = new Map(
    Object.entries(entry["tag_keys"] as Record<string, string>).map(([epoch, key]) => [Number(epoch), fromHex(key)]),
  );
  return { kind: "phone", type: entry["type"] as string, number: entry["number"] as string, tagKeys: keys };
}

async function answerTo(vector: Vector, list: readonly Check[] = checks): Promise<Answer> {
  const replay = new ReplaySet();
  const scan = ({ text, now, interaction }: Scan, lists: ListEntry[]) =>
    runChecks(
      {
        text: typeof text === "string" ? text : text.prefix + text.fill.repeat(text.length - text.prefix.length),
        now,
        interaction,
        replay,
        trust: trusts.get(vector.trust)!,
        source: sourceOf(lists),
        policy: {
          freshnessSeconds: vector.policy.freshness_seconds,
          admissionPoint: vector.policy.admission_point,
          suites: vector.policy.suites,
        },
        clock: {
          disciplinedAt: vector.clock.disciplined_at, floor: vector.clock.floor, powerCut: vector.clock.power_cut,
        },
        document: documentOf(vector.document),
      },
      list,
    );
  for (const before of vector.before) await scan(before, vector.lists_before ?? vector.lists);
  return scan(vector, vector.lists);
}

for (const row of rows) {
  for (const vector of row.vectors) {
    test(`row ${row.row}: ${vector.name}`, async () => {
      const { expect, now } = vector;
      const answer = await answerTo(vector);
      assert.deepEqual([answer.answer, answer.reason], [expect.answer, expect.reason]);
      const sampled = answer.sampledFrom;
      if ("sampled_from" in expect) assert.equal(sampled, expect["sampled_from"]);
      if ("test_age_seconds" in expect) assert.equal(ageSeconds(sampled!, now), expect["test_age_seconds"]);
      for (const [hours, within] of Object.entries((expect["within_hours"] ?? {}) as Record<string, boolean>)) {
        assert.equal(isWithinHours(sampled, now, Number(hours)), within);
      }
      for (const [days, within] of Object.entries((expect["within_days"] ?? {}) as Record<string, boolean>)) {
        assert.equal(isWithinDays(sampled, now, Number(days), offset), within);
      }
      if ("sampled_on" in expect) {
        const day = new Date(dayOf(sampled!, offset) * 86_400_000).toISOString().slice(0, 10);
        assert.equal(day, expect["sampled_on"]);
      }
      if (vector.control) {
        const { off, set, answer: expected } = vector.control;
        const accepted = await answerTo({ ...vector, ...set }, checksWithout(off));
        assert.equal(accepted.reason, "status", `with ${off.join(", ")} switched off`);
        if (expected) assert.equal(accepted.answer, expected);
      }
    });
  }
}

test("all 31 rows are there", () => {
  assert.deepEqual(rows.map((row) => row.row).sort((a, b) => a - b), Array.from({ length: 31 }, (_, at) => at));
});

test("row 17: every change of one bit is refused, for the reason of its field", async () => {
  const { raw, base, bits } = rows.find((row) => row.row === 17)!;
  const seen: Record<string, number[]> = {};
  for (let at = 0; at < 928; at += 1) {
    const changed = fromHex(raw!);
    changed[at >> 3]! ^= 0x80 >> at % 8;
    const answer = await answerTo({ ...base!, text: prefix + encode(changed) });
    (seen[answer.reason] ??= []).push(at);
  }
  assert.deepEqual(seen, bits);
  assert.equal((await answerTo({ ...base!, text: prefix + encode(fromHex(raw!)) })).answer, "green");
});

test("row 16: a list with an unsound key is refused whole, the sound one is taken", () => {
  const row = rows.find((found) => found.row === 16)!;
  for (const { name, payload } of row.refused!) {
    assert.throws(() => readTrustPayload(JSON.stringify(payload)), TrustRefused, name);
  }
  assert.equal(readTrustPayload(JSON.stringify(row.control)).keys.size, 5);
});
