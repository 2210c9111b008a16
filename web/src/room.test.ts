// The phone's own block of places, over a server that counts by hand.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlacesReply } from "./core/places.ts";
import { Away, Refused } from "./refusal.ts";
import { Room, doorSeconds } from "./room.ts";

const door = { venue: "v", entrance: "n" };
const visits = [1, 2, 3].map((n) => `0b0f2a1e-6a5d-4d0e-9a3c-00000000000${n}`);

class Zone {
  inside = 0;
  lent = 0;
  fault: Error | null = null;
  constructor(readonly cap: number) {}

  ask = async (body: Record<string, unknown>): Promise<PlacesReply> => {
    if (this.fault) throw this.fault;
    const report = body["report"] as { admitted: string[]; left: string[]; unused: number };
    const greeting = body["session"] === 0;
    if (!greeting) {
      this.inside += report.admitted.length - report.left.length;
      this.lent = report.unused;
    }
    const granted = greeting ? 0 : Math.max(0, Math.min(body["want"] as number, this.cap - this.inside - this.lent));
    this.lent += granted;
    return {
      request: body["request"] as number, session: 1, granted, granted_due: 0, expires_in: 60, standing: 0, inside: this.inside, cap: this.cap,
      state: "open", stay_seconds: 3_600, ended: [],
    };
  };
}

function shelf() {
  const held = new Map<string, unknown>();
  return {
    get: async <T>(key: string) => structuredClone(held.get(key)) as T | undefined,
    put: async (key: string, value: unknown) => void held.set(key, structuredClone(value)),
  };
}

test("two places let two in; the third waits until one has left", async () => {
  const zone = new Zone(2);
  let second = 0;
  const room = new Room(door, "boot", zone.ask, shelf(), () => second);
  assert.equal(room.has(1), "unknown"); // nothing was told yet
  await room.ask();
  assert.deepEqual(room.view, { inside: 0, cap: 2, left: 2, full: false });
  assert.equal(await room.admit(visits[0]!, "300:7", 1), visits[0]);
  assert.equal(await room.admit(visits[1]!, "300:8", 1), visits[1]);
  await room.ask();
  assert.equal(room.has(1), "full");
  assert.equal(await room.admit(visits[2]!, "", 1), "");
  second += 1;
  assert.equal(await room.exit("300:7"), visits[0]);
  await room.ask();
  assert.equal(room.has(1), "free");
  assert.equal(await room.exit("300:7"), null); // once
});

test("offline the block is used up and then nobody knows", async () => {
  const zone = new Zone(50);
  let second = 0;
  const room = new Room(door, "boot", zone.ask, shelf(), () => second);
  await room.ask();
  zone.fault = new Away("no network");
  assert.equal(room.has(1), "free");
  second = 61; // the tickets are over
  await room.ask();
  assert.equal(room.has(1), "unknown");
  zone.fault = null;
  await room.ask();
  assert.equal(room.has(1), "free"); // control
});

test("where nobody is counted everybody may come in", async () => {
  const room = new Room(door, "boot", () => Promise.reject(new Refused(404, "no-places")), shelf(), () => 0);
  await room.ask();
  assert.equal(room.has(5), "free");
  assert.equal(room.view, null);
});

test("a refused session is begun again, and not for ever", async () => {
  let calls = 0;
  const room = new Room(door, "boot", () => {
    calls += 1;
    return Promise.reject(new Refused(409, "places-stale"));
  }, shelf(), () => 0);
  await room.ask();
  assert.equal(calls, 4);
});

test("the door's seconds follow the faster clock and never run back", () => {
  let [wall, monotonic] = [1_000_000, 0];
  const seconds = doorSeconds({ wall: () => wall, monotonic: () => monotonic });
  [wall, monotonic] = [1_002_000, 1_000]; // the phone slept for a second
  assert.equal(seconds(), 2);
  [wall, monotonic] = [500_000, 4_000]; // somebody set the clock back
  assert.equal(seconds(), 5);
});
