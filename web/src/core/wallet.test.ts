// The wallet against a server made of the same bytes: what it asks for, shows, keeps and erases.

import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { test } from "node:test";

import { type Bytes, fromHex, join, toHex } from "./bytes.ts";
import { TrustedClock } from "./clock.ts";
import { startZero } from "./layout.ts";
import { ReplaySet } from "./replay.ts";
import { slotAt } from "./show.ts";
import { codeContext, keyId, signatureInput } from "./signing.ts";
import type { TrustList } from "./trust.ts";
import { verify } from "./verify.ts";
import { type CodeRequest, CodeWallet, type IssueAnswer, IssueRefused, type WalletState } from "./wallet.ts";

const realm = "cn-310118";
const offset = 480;
const minute = 60_000;
// 2026-11-23 08:00 in the realm: minute 469,440, epoch 326 (worked by hand in field/09's example).
const morning = (startZero + 469_440 * 60) * 1000;
const epoch = 326;

const seed = fromHex("0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20");
const privateKey = createPrivateKey({
  key: Buffer.from(join(fromHex("302e020100300506032b657004220420"), seed)), format: "der", type: "pkcs8",
});
const publicKey = new Uint8Array(createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(-32));
const kid = keyId(1, "phone", realm, publicKey);
const week = 7 * 86_400;
const trust: TrustList = {
  sequence: 1,
  expiresAt: morning / 1000 + week,
  offsets: new Map([[realm, offset]]),
  keys: new Map([[toHex(kid), {
    kid, realm, purpose: "phone", suite: 1, slotCode: 1, publicKey, startsFrom: morning / 1000 - week,
    signsUntil: morning / 1000 + week, startsUntil: morning / 1000 + week, listedUntil: morning / 1000 + week, revoked: false,
  }]]),
};

/** A server's bytes 0…97, by hand. */
function issued(request: CodeRequest, change: (body: Uint8Array) => void = () => undefined): Bytes {
  const { start, lifetime, slot_code, anchor } = request;
  const body = join(
    Uint8Array.of(0x11, (1 << 6) | (1 << 4) | (slot_code << 2)), kid,
    Uint8Array.of(start >> 16, (start >> 8) & 255, start & 255, lifetime, 255, 0, 0, 0, 0, 9), fromHex(anchor), Uint8Array.of(7, 0),
  );
  change(body);
  return join(body, new Uint8Array(sign(null, signatureInput(kid, codeContext("phone", realm), body), privateKey)));
}

class Phone {
  readonly hands = { wall: morning, mono: 0 };
  readonly clock = new TrustedClock({ wall: () => this.hands.wall, monotonic: () => this.hands.mono });
  readonly asked: CodeRequest[][] = [];
  stored: WalletState | null = null;
  serverAhead = 0;
  answer: (requests: readonly CodeRequest[]) => IssueAnswer = (requests) => ({
    nowMs: this.server, bodies: requests.map((request) => issued(request)),
  });
  private drawn = 0;
  wallet = this.open();

  get server(): number {
    return this.hands.wall + this.serverAhead;
  }

  open(): CodeWallet {
    return new CodeWallet({
      clock: this.clock,
      realm,
      trust: async () => trust,
      issue: async (requests) => {
        this.asked.push([...requests]);
        return this.answer(requests);
      },
      storage: { load: async () => this.stored, save: async (state) => { this.stored = structuredClone(state); } },
      // Counted, so that seeds differ and a test repeats.
      random: (size) => Uint8Array.from({ length: size }, (_, at) => (this.drawn++ * 7 + at * 13 + 1) & 255),
    });
  }

  pass(ms: number): void {
    this.hands.wall += ms;
    this.hands.mono += ms;
  }
}

async function read(text: string, now: number): Promise<string> {
  const view = { asOf: now - 5, size: 1_000_000, state: () => 0 as const };
  const answer = await verify({
    text, now, trust, replay: new ReplaySet(), interaction: "a", source: { view: () => view },
    policy: { freshnessSeconds: 300, admissionPoint: true, suites: [1] },
    clock: { disciplinedAt: now, floor: 0, powerCut: false },
  });
  return `${answer.answer} ${answer.reason}`;
}

test("the first refresh brings a hot code and cold ones, and what is shown is good at a door", async () => {
  const phone = new Phone();
  await phone.wallet.restore();
  assert.equal(phone.wallet.shown(), null);
  assert.equal(phone.wallet.due(), true);
  await phone.wallet.refresh();
  const [first] = phone.asked;
  assert.deepEqual(first!.map((request) => request.lifetime === 0), [true, false, false, false]);
  // Cold for this epoch: 08:00 to 06:00 next day, 22 h = 88 quarters.
  assert.deepEqual([first![1]!.start, first![1]!.lifetime], [469_440, 88]);
  for (const [ahead, request] of first!.slice(2).entries()) {
    const dawn = (epoch + 1 + ahead) * 1440 + 240 - offset;
    assert.ok(request.start >= dawn && request.start <= dawn + 90);
    assert.equal(request.lifetime, Math.floor((dawn + 1440 + 120 - request.start) / 15));
  }
  for (let slot = 0; slot < 30; slot += 7) {
    const shown = phone.wallet.shown()!;
    assert.deepEqual([shown.kind, shown.slot], ["hot", slot]);
    assert.equal(await read(shown.text, phone.clock.now() / 1000), "green status");
    phone.pass(140_000);
  }
});

test("refresh is drawn from 4–8 min of the hot code's age, and the next asks for what is missing", async () => {
  const phone = new Phone();
  await phone.wallet.refresh();
  phone.pass(4 * minute - 1);
  assert.equal(phone.wallet.due(), false);
  phone.pass(4 * minute + 1);
  assert.equal(phone.wallet.due(), true);
  await phone.wallet.refresh();
  assert.deepEqual(phone.asked[1]!.map((request) => request.lifetime === 0), [true, false]);
});

test("offline the cold code of the epoch is shown when the hot one ends, and each is erased with its seed", async () => {
  const phone = new Phone();
  await phone.wallet.refresh();
  phone.answer = () => { throw new Error("offline"); };
  phone.pass(10 * minute);
  const shown = phone.wallet.shown()!;
  assert.equal(shown.kind, "cold");
  assert.equal(await read(shown.text, phone.clock.now() / 1000), "green status");
  await assert.rejects(phone.wallet.refresh(), /offline/);
  assert.equal(phone.stored!.codes.some((code) => code.kind === "hot"), false);
  phone.pass(24 * 60 * minute);
  phone.wallet = phone.open();
  await phone.wallet.restore();
  assert.equal(phone.wallet.shown()!.kind, "cold");
  assert.equal(phone.stored!.codes.some((code) => code.epoch === epoch), false);
});

test("never a slot before the start, never one at the end", async () => {
  const phone = new Phone();
  phone.answer = (requests) => ({ nowMs: phone.server, bodies: [issued(requests[0]!)] });
  await phone.wallet.refresh();
  const moved = phone.clock.now() - 1;
  phone.clock.exchange(moved);
  assert.equal(phone.wallet.shown(), null);
  phone.clock.exchange(morning + 10 * minute - 1);
  assert.equal(phone.wallet.shown()!.slot, 29);
  phone.clock.exchange(morning + 10 * minute);
  assert.equal(phone.wallet.shown(), null);
});

test("a wrong phone clock costs one more round trip and never a bad code", async () => {
  const phone = new Phone();
  phone.serverAhead = 3 * 3_600_000;
  phone.answer = (requests) => {
    const now = Math.floor((phone.server / 1000 - startZero) / 60);
    if (Math.abs(requests[0]!.start - now) > 1) throw new IssueRefused("start-range", phone.server);
    return { nowMs: phone.server, bodies: requests.map((request) => issued(request)) };
  };
  await phone.wallet.refresh();
  assert.equal(phone.asked.length, 2);
  assert.equal(phone.wallet.shown()!.slot, 0);
  assert.equal(await read(phone.wallet.shown()!.text, phone.server / 1000), "green status");
});

test("while the server's knowledge is old the cold codes are asked for alone", async () => {
  const phone = new Phone();
  phone.answer = (requests) => {
    if (requests[0]!.lifetime === 0) throw new IssueRefused("hot-unavailable", phone.server);
    return { nowMs: phone.server, bodies: requests.map((request) => issued(request)) };
  };
  await phone.wallet.refresh();
  assert.equal(phone.wallet.shown()!.kind, "cold");
});

test("before a change to a worse colour shorter codes are asked for, and anew when they end", async () => {
  const phone = new Phone();
  const change = morning + 7 * minute + 30_000;
  phone.answer = (requests) => {
    const end = (request: CodeRequest) =>
      morning + (request.start - 469_440) * minute + (request.lifetime === 0 ? 10 : request.lifetime - 104) * minute;
    if (requests.some((r) => r.lifetime > 0 && r.lifetime <= 104)) throw new IssueRefused("change-ahead", phone.server, change);
    assert.ok(requests.every((request) => end(request) <= change));
    return { nowMs: phone.server, bodies: requests.map((request) => issued(request)) };
  };
  await phone.wallet.refresh();
  assert.deepEqual(phone.asked[1]!.map((request) => request.lifetime), [104 + 7]);
  assert.equal(phone.wallet.shown()!.endsAtMs, morning + 7 * minute);
  phone.pass(7 * minute);
  assert.equal(phone.wallet.shown(), null);
  assert.equal(phone.wallet.due(), true);
});

test("some refused: what was given is kept and the rest asked for as it can be had", async () => {
  const phone = new Phone();
  const change = morning + 7 * minute;
  phone.answer = (requests) => {
    const good = requests.filter((request) => request.lifetime > 104);
    const refused = requests.filter((r) => r.lifetime <= 104).map(() => ({ code: "change-ahead", latestEndMs: change }));
    return { nowMs: phone.server, bodies: good.map((request) => issued(request)), refused };
  };
  await phone.wallet.refresh();
  assert.equal(phone.wallet.shown()!.kind, "hot");
});

test("an answer that is not what was asked for is discarded; the honest one beside it is the control", async () => {
  const changes: [string, (body: Uint8Array) => void][] = [
    ["another anchor", (body) => { body[20]! ^= 1; }],
    ["another start", (body) => { body[8]! ^= 1; }],
    ["another lifetime", (body) => { body[9] = 113; }],
    ["another slot code", (body) => { body[1]! ^= 0b1100; }],
  ];
  for (const [name, change] of changes) {
    const phone = new Phone();
    phone.answer = (requests) => ({ nowMs: phone.server, bodies: [issued(requests[0]!, change)] });
    await assert.rejects(phone.wallet.refresh(), IssueRefused, name);
    assert.equal(phone.wallet.shown(), null, name);
  }
  const forged = new Phone();
  forged.answer = (requests) => {
    const body = issued(requests[0]!);
    body[50]! ^= 1;
    return { nowMs: forged.server, bodies: [body] };
  };
  await assert.rejects(forged.wallet.refresh(), IssueRefused);
  const honest = new Phone();
  honest.answer = (requests) => ({ nowMs: honest.server, bodies: [issued(requests[0]!)] });
  await honest.wallet.refresh();
  assert.equal(honest.wallet.shown()!.kind, "hot");
});

test("in the overlap the first refresh turns to the new epoch, and there is no way back", async () => {
  const phone = new Phone();
  await phone.wallet.refresh();
  phone.pass(20 * 60 * minute + 5 * minute); // 04:05 next day
  assert.equal((phone.wallet.shown()!.endsAtMs - morning) / minute, 22 * 60, "the old epoch's cold code until then");
  await phone.wallet.refresh();
  assert.equal(phone.wallet.shown()!.kind, "hot");
  phone.answer = () => { throw new Error("offline"); };
  phone.pass(10 * minute); // 04:15: the hot code has ended
  const old = phone.stored!.codes.find((code) => code.kind === "cold" && code.epoch === epoch)!;
  assert.ok(slotAt(old, phone.clock.now()) !== null, "the old epoch's code would still be good");
  const shown = phone.wallet.shown();
  assert.ok(shown === null || shown.endsAtMs > morning + 23 * 60 * minute);
});
