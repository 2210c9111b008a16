// Records of a door reach the gateway exactly once, whatever the network does. The server here counts by key, as the
// journal does; every count is made beside the queue, by hand.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type DoorRecord, type RecordsAnswer, type Tray, RecordQueue } from "./queue.ts";
import { Away, Refused } from "./refusal.ts";

class Shelf implements Tray {
  readonly held = new Map<string, DoorRecord>();
  readonly aside = new Map<string, string>();
  put = async (record: DoorRecord) => void this.held.set(record.key, record);
  all = async () => [...this.held.values()];
  remove = async (key: string) => void this.held.delete(key);
  setAside = async (record: DoorRecord, error: string) => {
    this.aside.set(record.key, error);
    this.held.delete(record.key);
  };
}

class Journal {
  readonly taken = new Map<string, number>();
  calls = 0;
  /** What goes wrong at each call, in order; nothing after the list. */
  constructor(private readonly faults: readonly ("before" | "after" | "none")[] = [], private readonly bad: readonly string[] = []) {}

  send = async (records: readonly DoorRecord[]): Promise<RecordsAnswer> => {
    const fault = this.faults[this.calls] ?? "none";
    this.calls += 1;
    if (fault === "before") throw new Away("no network");
    const torn = records.some((record) => this.bad.includes(record.key));
    if (torn) throw new Refused(400, "bad-request");
    for (const { key } of records) this.taken.set(key, (this.taken.get(key) ?? 0) + 1);
    if (fault === "after") throw new Away("the answer was lost");
    return { acknowledged: records.map((record) => record.key), conflicts: [], refused: [] };
  };
}

function record(key: string): DoorRecord {
  return {
    key, kind: "admit", verification: null, venue: "v", entrance: "n", occurred_at: "2026-06-08T10:42:07+08:00",
    answer: "green", reason: "status", lookup: null, note: "",
  };
}

test("three records made offline arrive when the network is back, and the tray is empty", async () => {
  const tray = new Shelf();
  const journal = new Journal(["before", "before", "before"]);
  const counts: number[] = [];
  const landed: string[] = [];
  const queue = new RecordQueue(tray, journal.send, (n) => counts.push(n), (keys) => landed.push(...keys));
  for (const key of ["a", "b", "c"]) await queue.add(record(key));
  await queue.flush();
  assert.equal(tray.held.size, 3);
  await queue.flush();
  await queue.flush();
  assert.deepEqual([...journal.taken.keys()].sort(), ["a", "b", "c"]);
  assert.equal(tray.held.size, 0);
  assert.deepEqual(landed.sort(), ["a", "b", "c"]);
  assert.equal(counts.at(-1), 0);
});

test("a lost answer is sent again under the same key, so the journal holds it once", async () => {
  const tray = new Shelf();
  const journal = new Journal(["after"]);
  const queue = new RecordQueue(tray, journal.send, () => undefined);
  await queue.add(record("a"));
  await queue.flush();
  assert.equal(tray.held.size, 1); // control: the fault bites, nothing was acknowledged
  await queue.flush();
  assert.deepEqual([...journal.taken], [["a", 2]]); // sent twice with one key: the journal's equal keys are one record
  assert.equal(tray.held.size, 0);
});

test("one record that can never be read holds up nobody and is not forgotten", async () => {
  const tray = new Shelf();
  const journal = new Journal([], ["b"]);
  const queue = new RecordQueue(tray, journal.send, () => undefined);
  for (const key of ["a", "b", "c"]) await tray.put(record(key));
  await queue.flush();
  assert.deepEqual([...journal.taken.keys()], ["a", "c"]);
  assert.deepEqual([...tray.aside], [["b", "bad-request"]]);
  assert.equal(tray.held.size, 0);
});

test("what the gateway refuses by name is set aside with its reason", async () => {
  const tray = new Shelf();
  const queue = new RecordQueue(
    tray,
    async () => ({ acknowledged: ["a"], conflicts: ["b"], refused: [{ key: "b", error: "unknown-venue" }] }),
    () => undefined,
  );
  await tray.put(record("a"));
  await tray.put(record("b"));
  await queue.flush();
  assert.deepEqual([...tray.aside], [["b", "unknown-venue"]]);
});

test("an entry that cannot be read does not take the act with it", async () => {
  const tray = new Shelf();
  const taken: unknown[] = [];
  const queue = new RecordQueue(
    tray,
    async ([one]) => {
      const bad = one!.entry != null;
      if (!bad) taken.push(one!.key);
      return bad ? { acknowledged: [], conflicts: ["a"], refused: [{ key: "a", error: "bad-entry" }] } : { acknowledged: ["a"], conflicts: [], refused: [] };
    },
    () => undefined,
  );
  await tray.put({ ...record("a"), entry: { kind: "?" } });
  await queue.flush();
  assert.deepEqual([taken, tray.held.size, tray.aside.size], [["a"], 0, 0]);
});

test("a full journal keeps everything waiting and does not spin", async () => {
  const tray = new Shelf();
  let calls = 0;
  const queue = new RecordQueue(
    tray,
    async () => {
      calls += 1;
      return { acknowledged: [], conflicts: [], refused: [] };
    },
    () => undefined,
  );
  await tray.put(record("a"));
  await queue.flush();
  assert.equal(calls, 1);
  assert.equal(tray.held.size, 1);
});

test("an ended session keeps everything waiting", async () => {
  const tray = new Shelf();
  const queue = new RecordQueue(tray, () => Promise.reject(new Refused(401, "login")), () => undefined);
  await queue.add(record("a"));
  await queue.flush();
  assert.equal(tray.held.size, 1);
  assert.equal(tray.aside.size, 0);
});
