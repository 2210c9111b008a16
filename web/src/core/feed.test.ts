// The status feed of a door: what is taken and what is refused (issue 3, 4). The keys and signatures are Node's own,
// which shares nothing with the code under test; the COSE bytes are written out by hand (RFC 9052 4.4).

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign as nodeSign } from "node:crypto";
import { test } from "node:test";

import { type FeedFault, type FeedMessage, FeedRefused, StatusFeed, feedSource, readMessage } from "./feed.ts";

const realm = "sim";
const now = 1_800_000_000;
const venue = "5b7c1d52-9f0e-4d3a-8a34-0c7a3f1f2b11";

function keys() {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  const named = Buffer.concat([Buffer.from("PL1 kid\0\x01list\0sim\0", "latin1"), raw]);
  return { privateKey, raw: Uint8Array.from(raw), kid: createHash("sha256").update(named).digest().subarray(0, 4) };
}

const office = keys();
const signers = { realm, roots: [office.raw], trust: null };

/** Writes an envelope by hand: 0x84, "Signature1", the protected header, the context, the payload. */
function envelope(message: unknown, by = office, context = "passlight/statuses/sim"): string {
  const payload = Buffer.from(JSON.stringify(message).padEnd(300));
  const external = Buffer.from(context);
  const length = Buffer.alloc(3);
  length.writeUInt8(0x59);
  length.writeUInt16BE(payload.length, 1);
  assert.ok(external.length < 24 && payload.length > 255);
  const input = Buffer.concat([
    Buffer.from([0x84, 0x6a]), Buffer.from("Signature1"), Buffer.from([0x49, 0xa2, 0x01, 0x27, 0x04, 0x44]), by.kid,
    Buffer.from([0x40 | external.length]), external, length, payload,
  ]);
  return JSON.stringify({
    kid: by.kid.toString("hex"), payload: payload.toString("base64url"), signature: nodeSign(null, input, by.privateKey).toString("base64url"),
  });
}

function message(change: Partial<FeedMessage> = {}): FeedMessage {
  return {
    realm, epoch: 300, size: 10_000, as_of: now - 2, seq: 7, since: 0,
    entries: [[5, [[0, 2]]], [6, [[0, 1], [now + 100, 0]]], [7, [[0, 0], [now + 50, 2]]], [8, [[0, 3]]]],
    staff: { [venue]: [11, 12] }, started: { [venue]: [12] }, ...change,
  };
}

async function held(): Promise<StatusFeed> {
  const feed = new StatusFeed(realm, 300);
  await feed.take(envelope(message()), signers, now);
  return feed;
}

async function refused(feed: StatusFeed, document: string, code: FeedFault): Promise<void> {
  await assert.rejects(feed.take(document, signers, now), (error) => error instanceof FeedRefused && error.code === code);
  assert.equal(feed.seq, 7); // what was held is held
}

test("a whole feed says the state of every index, by the time", async () => {
  const feed = await held();
  const at = (index: number, when = now) => feed.view(when)!.state(index);
  assert.deepEqual([at(5), at(6), at(7), at(8), at(9)], [2, 1, 0, 3, 0]);
  assert.deepEqual([at(6, now + 100), at(7, now + 50)], [0, 2]); // no message was needed
  assert.deepEqual(feed.staffAt(venue, 11), { staff: true, started: false });
  assert.deepEqual(feed.staffAt(venue, 12), { staff: true, started: true });
  assert.deepEqual(feed.staffAt("another", 12), { staff: false, started: false });
});

test("a change adds, replaces and takes away, and keeps the rest", async () => {
  const feed = await held();
  const entries: FeedMessage["entries"] = [[5, [[0, 0]]], [9, [[0, 1]]]];
  await feed.take(envelope(message({ seq: 8, since: 7, as_of: now, entries })), signers, now);
  assert.deepEqual([5, 6, 8, 9].map((index) => feed.stateAt(index, now)), [0, 1, 3, 1]);
  assert.equal(feed.asOf, now);
});

test("a repeated message changes nothing", async () => {
  const feed = await held();
  await feed.take(envelope(message()), signers, now);
  assert.equal(feed.stateAt(5, now), 2);
});

test("a forged feed is refused: another key, another context, a changed byte", async () => {
  const feed = await held();
  const later = message({ seq: 9, as_of: now, entries: [] });
  await refused(feed, envelope(later, keys()), "signature");
  await refused(feed, envelope(later, office, "passlight/door/sim"), "signature");
  const changed = JSON.parse(envelope(later)) as { payload: string };
  changed.payload = Buffer.from(JSON.stringify({ ...later, size: 9_999 })).toString("base64url");
  await refused(feed, JSON.stringify(changed), "signature");
  assert.equal(feed.stateAt(5, now), 2);
  await feed.take(envelope(later), signers, now); // control: the right key is taken
  assert.equal(feed.stateAt(5, now), 0);
});

test("what is older, of elsewhere, from the future or with a gap is refused", async () => {
  const feed = await held();
  await refused(feed, envelope(message({ realm: "other", seq: 8 })), "realm");
  await refused(feed, envelope(message({ epoch: 301, seq: 8 })), "epoch");
  await refused(feed, envelope(message({ seq: 6 })), "seq");
  await refused(feed, envelope(message({ seq: 8, as_of: now - 3 })), "as-of");
  await refused(feed, envelope(message({ seq: 8, as_of: now + 61 })), "future");
  await refused(feed, envelope(message({ seq: 10, since: 9, as_of: now })), "gap");
  await refused(feed, envelope(message({ seq: 8, since: 7, as_of: now, size: 20_000 })), "size");
  await feed.take(envelope(message({ seq: 8, as_of: now + 60 })), signers, now); // control: at the limit
});

test("a torn or wrong message is malformed, never a state", () => {
  const wrong: unknown[] = [
    null, [], { ...message(), size: -1 }, { ...message(), seq: "8" }, { ...message(), entries: [[10_000, [[0, 2]]]] },
    { ...message(), entries: [[5, [[0, 4]]]] }, { ...message(), entries: [[5, [[9, 1], [9, 2]]]] },
    { ...message(), staff: [] }, { ...message(), started: { [venue]: [-1] } },
  ];
  for (const one of wrong) {
    assert.throws(() => readMessage(JSON.stringify(one)), (error) => error instanceof FeedRefused && error.code === "malformed");
  }
  assert.throws(() => readMessage("{"), FeedRefused);
  assert.equal(readMessage(JSON.stringify(message())).size, 10_000); // control
});

test("a source gives the feed of its own realm and epoch, and nothing for paper", async () => {
  const feed = await held();
  const source = feedSource([feed, new StatusFeed(realm, 301)], now);
  assert.equal(source.view(realm, "phone", 300)!.asOf, now - 2);
  assert.equal(source.view(realm, "phone", 301), null); // nothing was received
  assert.equal(source.view(realm, "phone", 299), null);
  assert.equal(source.view("other", "phone", 300), null);
  assert.equal(source.view(realm, "paper", null), null);
});

test("what another epoch left in the store is not taken over", async () => {
  const state = (await held()).state;
  assert.equal(new StatusFeed(realm, 300, state).stateAt(5, now), 2);
  assert.equal(new StatusFeed(realm, 301, state).view(now), null);
});
