// What a phone knows by itself, over a server that is a list of answers: keys and signatures are Node's own,
// the COSE bytes are written out by hand (RFC 9052 4.4), the trust list is that of the committed vectors' form.

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign as nodeSign } from "node:crypto";
import { test } from "node:test";
import { TrustedClock } from "./core/clock.ts";
import { type DoorPaper, Knowledge, type Server, type Shelf } from "./knowledge.ts";
import { Away } from "./refusal.ts";

const realm = "sim";
const place = { venue: "5b7c1d52-9f0e-4d3a-8a34-0c7a3f1f2b11", entrance: "n" };
const nowMs = Date.UTC(2026, 5, 8, 2, 42, 7); // 10:42:07 in Shanghai
const now = nowMs / 1000;
// PL1 2.5: minutes since 2026-01-01Z + 480 − 240, whole days. 158 days and 2 h 42 min after the new year.
const epoch = 158;

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const root = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
const kid = createHash("sha256")
  .update(Buffer.concat([Buffer.from("PL1 kid\0\x01list\0sim\0", "latin1"), root])).digest().subarray(0, 4);

function cbor(bytes: Buffer): Buffer {
  const head = Buffer.alloc(3, 0x59);
  head.writeUInt16BE(bytes.length, 1);
  return Buffer.concat([bytes.length < 24 ? Buffer.from([0x40 | bytes.length]) : head, bytes]);
}

function signed(payload: unknown, context: string): string {
  const body = Buffer.from(JSON.stringify(payload).padEnd(300));
  const input = Buffer.concat([
    Buffer.from([0x84, 0x6a]), Buffer.from("Signature1"), Buffer.from([0x49, 0xa2, 0x01, 0x27, 0x04, 0x44]), kid, cbor(Buffer.from(context)), cbor(body),
  ]);
  return JSON.stringify({
    kid: kid.toString("hex"), payload: body.toString("base64url"), signature: nodeSign(null, input, privateKey).toString("base64url"),
  });
}

const trust = (sequence = 1) =>
  signed({ format: 1, sequence, expires_at: "2026-06-14T00:00:00Z", realms: { sim: { offset_minutes: 480 } }, keys: [] }, "passlight/trust/sim");
const paper = (change: Partial<DoorPaper> = {}) =>
  signed({ realm, ...place, made_at: "2026-06-08T00:00:00Z", effective_until: "2026-06-15T00:00:00Z", ...change }, "passlight/door/sim");
const statuses = (seq: number, asOf: number, since = 0, of = epoch) =>
  signed({ realm, epoch: of, size: 100, as_of: asOf, seq, since, entries: [[5, [[0, 2]]]], staff: { [place.venue]: [7] }, started: {} }, "passlight/statuses/sim");

class Answers implements Server {
  asked: string[] = [];
  trustText = trust();
  doorText = paper();
  statusText: (epoch: number, since: number) => string = (of) => statuses(3, now - 2, 0, of);
  away = false;

  private answer(name: string, text: string): Promise<string> {
    this.asked.push(name);
    return this.away ? Promise.reject(new Away("no network")) : Promise.resolve(text);
  }
  trust = () => this.answer("trust", this.trustText);
  door = () => this.answer("door", this.doorText);
  statuses = (of: number, since: number) => this.answer(`statuses ${of} ${since}`, this.statusText(of, since));
}

function memory(): Shelf {
  const held = new Map<string, unknown>();
  return {
    get: async <T>(key: string) => structuredClone(held.get(key)) as T | undefined,
    put: async (key, value) => void held.set(key, structuredClone(value)),
  };
}

function phone(server: Server, shelf: Shelf, at = { ms: nowMs }) {
  const clock = new TrustedClock({ wall: () => at.ms, monotonic: () => at.ms });
  return new Knowledge({ realm, roots: [root.toString("hex")], ...place }, server, shelf, clock, (text) => JSON.parse(text) as DoorPaper);
}

test("after one poll a phone has its list, its door and its statuses", async () => {
  const server = new Answers();
  const knows = phone(server, memory());
  await knows.poll();
  assert.deepEqual(server.asked, ["trust", "door", `statuses ${epoch} 0`]);
  assert.equal(knows.asOfMs, nowMs - 2_000);
  assert.equal(knows.door!.entrance, "n");
  assert.deepEqual(knows.staff(epoch, 7), { staff: true, started: false });
  await knows.poll();
  assert.equal(server.asked.at(-1), `statuses ${epoch} 3`); // what changed since
});

test("everything is there again after a reload without network", async () => {
  const shelf = memory();
  const server = new Answers();
  const before = phone(server, shelf);
  before.disciplined();
  await before.poll();
  server.away = true;
  const after = phone(server, shelf);
  assert.equal(after.asOfMs, null); // control: nothing before it is taken back
  await after.restore();
  assert.equal(after.asOfMs, nowMs - 2_000);
  assert.equal(after.door!.venue, place.venue);
  assert.equal(after.clockSure, true);
  await assert.rejects(after.poll(), Away);
  assert.equal(after.asOfMs, nowMs - 2_000);
});

test("a forged feed is refused by name and nothing changes", async () => {
  const server = new Answers();
  const knows = phone(server, memory());
  await knows.poll();
  server.statusText = (of) => statuses(9, now, 0, of).replace(/"signature":"../, '"signature":"AA');
  await knows.poll();
  assert.equal(knows.refused.get("statuses"), "signature");
  assert.equal(knows.asOfMs, nowMs - 2_000);
  server.statusText = (of) => statuses(9, now, 0, of);
  await knows.poll();
  assert.equal(knows.refused.get("statuses"), "");
  assert.equal(knows.asOfMs, nowMs);
});

test("a change that does not fit is followed by the whole", async () => {
  const server = new Answers();
  const knows = phone(server, memory());
  await knows.poll();
  server.statusText = (of, since) => (since > 0 ? statuses(12, now, 11, of) : statuses(12, now, 0, of));
  await knows.poll();
  assert.deepEqual(server.asked.slice(-2), [`statuses ${epoch} 3`, `statuses ${epoch} 0`]);
  assert.equal(knows.asOfMs, nowMs);
});

test("a door document of another door, older or over is not this door's", async () => {
  const server = new Answers();
  const at = { ms: nowMs };
  const knows = phone(server, memory(), at);
  server.doorText = paper({ entrance: "s" });
  await knows.poll();
  assert.equal(knows.refused.get("door"), "place");
  assert.equal(knows.door, null);
  server.doorText = paper();
  await knows.poll();
  assert.equal(knows.door!.entrance, "n");
  at.ms += 31_000;
  server.doorText = paper({ made_at: "2026-06-07T00:00:00Z" });
  await knows.poll();
  assert.equal(knows.refused.get("door"), "older");
  at.ms = Date.UTC(2026, 5, 15);
  assert.equal(knows.door, null); // its time is over
});

test("in the first two hours of a day the codes of the day before are known as well", async () => {
  const server = new Answers();
  const at = { ms: Date.UTC(2026, 5, 7, 20, 30) }; // 04:30 in Shanghai: the epoch began at 04:00
  server.statusText = (of) => statuses(3, at.ms / 1000 - 2, 0, of);
  const knows = phone(server, memory(), at);
  await knows.poll();
  assert.deepEqual(server.asked.slice(2), [`statuses ${epoch - 1} 0`, `statuses ${epoch} 0`]);
});

test("one document that cannot be had does not keep the others away", async () => {
  const server = new Answers();
  server.door = () => Promise.reject(new Away("503"));
  const knows = phone(server, memory());
  await assert.rejects(knows.poll(), Away);
  assert.equal(knows.asOfMs, nowMs - 2_000);
});
