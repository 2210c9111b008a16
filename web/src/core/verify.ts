// Verification of a scanned text, in the order of PL1 5: the first failure ends.
// Nothing here throws for any text, and nothing that goes wrong becomes a colour.

import { decode } from "./base45.ts";
import { type Bytes, toHex } from "./bytes.ts";
import { chainSalt, leadsTo } from "./chain.ts";
import { epochEndSeconds, epochOf, overlapMinutes } from "./epochs.ts";
import {
  type Body, bodyLength, codeKind, decodeBody, endsAt, holderIsWellFormed, holderName, hotShortMax,
  lifetimeSeconds, noTest, paperDaysMax, paperTextLength, phoneTextLength, prefix, sampledFrom, signedLength, slotSeconds,
  startsAt, version,
} from "./layout.ts";
import type { ReplaySet, Sighting } from "./replay.ts";
import { codeContext, documentTag, isSigned, signatureInput } from "./signing.ts";
import type { TrustList, TrustedKey } from "./trust.ts";

export type DoorAnswer = "green" | "yellow" | "red" | "undetermined" | "expired" | "not-found" | "closed";

/** The two bits of one index: no restriction, yellow, red, withdrawn. */
export type ListState = 0 | 1 | 2 | 3;

export interface StatusView {
  readonly asOf: number;
  readonly size: number;
  state(index: number): ListState;
}

/** All that a door knows of statuses; `epoch` is null for paper, and a neighbour's list never serves. */
export interface StatusSource {
  view(realm: string, purpose: "phone" | "paper", epoch: number | null): StatusView | null;
}

export interface VerificationPolicy {
  readonly freshnessSeconds: number;
  readonly admissionPoint: boolean;
  readonly suites: readonly number[];
}

/** What a verifier knows of its own clock (PL1 7); POSIX seconds. */
export interface ClockState {
  readonly disciplinedAt: number;
  readonly floor: number;
  readonly powerCut: boolean;
}

/** A document read by a certified reader beside a phone code, or the one beside a sheet. */
export type ReadDocument =
  | { readonly kind: "phone"; readonly type: string; readonly number: string; readonly tagKeys: ReadonlyMap<number, Bytes> }
  | { readonly kind: "paper"; readonly maskedName: string; readonly birth: readonly [number, number] | null };

/** `body` and what follows are set only once the signature is good. */
export interface Answer {
  readonly answer: DoorAnswer;
  readonly reason: string;
  readonly body: Body | null;
  readonly realm: string | null;
  readonly epoch: number | null;
  readonly sampledFrom: number | null;
  readonly knownAt: number | null;
}

export interface Inputs {
  readonly text: string;
  readonly now: number;
  readonly trust: TrustList;
  readonly source: StatusSource;
  readonly policy: VerificationPolicy;
  readonly replay: ReplaySet;
  readonly clock: ClockState;
  readonly interaction: string;
  readonly document?: ReadDocument | null;
}

/** One text on its way through the checks; what earlier checks found, later ones use. */
export interface Reading extends Inputs {
  raw: Bytes;
  body: Body;
  key: TrustedKey;
  view: StatusView;
  state: ListState;
  signed: boolean;
  epoch: number | null;
  knownAt: number | null;
  sighting: Sighting | null;
  sameInteraction: Answer | null;
}

export interface Check {
  readonly answer: DoorAnswer;
  readonly reason: string;
  readonly holds: (reading: Reading) => boolean | Promise<boolean>;
}

const outrankSeconds = 60;
const linkOffset = 100;
const disciplineSeconds = 7 * 86_400;

export function verify(inputs: Inputs): Promise<Answer> {
  return runChecks(inputs, checks);
}

export async function runChecks(inputs: Inputs, list: readonly Check[]): Promise<Answer> {
  // The fields that a check has not found yet are read by no check before it.
  const reading = {
    ...inputs, state: 0, signed: false, epoch: null, knownAt: null, sighting: null, sameInteraction: null,
  } as unknown as Reading;
  for (const check of list) {
    if (!(await check.holds(reading))) return remember(reading, answerOf(reading, check.answer, check.reason));
    if (reading.sameInteraction) return reading.sameInteraction;
  }
  return remember(reading, answerOf(reading, colourOf(reading), "status"));
}

function answerOf(reading: Reading, answer: DoorAnswer, reason: string): Answer {
  const proven = reading.signed || reason === "status";
  return {
    answer,
    reason,
    body: proven ? reading.body : null,
    realm: proven ? reading.key.realm : null,
    epoch: proven ? reading.epoch : null,
    sampledFrom: proven ? sampledFrom(reading.body) : null,
    knownAt: proven ? reading.knownAt : null,
  };
}

function remember(reading: Reading, answer: Answer): Answer {
  if (reading.sighting) reading.sighting.answer = answer;
  return answer;
}

const answers: readonly DoorAnswer[] = ["undetermined", "green", "yellow", "red"];

/** The worst of code and list, unless a hot code is newer than the list by over a minute (PL1 6.2). */
function colourOf(reading: Reading): DoorAnswer {
  const { body, view, state } = reading;
  if (codeKind(body) === "hot" && startsAt(body) > view.asOf + outrankSeconds) return answers[body.colour]!;
  const own = isPhone(reading) ? body.colour : 1;
  // Nought is no colour and withdrawn is none either: neither may ever look green.
  return own === 0 || state === 3 ? "undetermined" : answers[Math.max(own, state + 1)]!;
}

function isPhone(reading: Reading): boolean {
  return reading.body.purpose === "phone";
}

function slotOf(reading: Reading): number {
  return (reading.raw[signedLength]! << 8) | reading.raw[signedLength + 1]!;
}

function slotNow(reading: Reading): number {
  return Math.floor((reading.now - startsAt(reading.body)) / slotSeconds(reading.body));
}

export function decodes(reading: Reading): boolean {
  const raw = decode(reading.text.slice(prefix.length));
  if (!raw) return false;
  take(reading, raw);
  return true;
}

/** Gives a reading its bytes; the length alone says which layout they have. */
export function take(reading: Reading, raw: Bytes): void {
  reading.raw = raw;
  reading.body = decodeBody(raw, raw.length > signedLength ? "phone" : "paper");
}

function lifetimeFits({ body }: Reading): boolean {
  if (body.purpose === "phone") return body.lifetime <= hotShortMax;
  return body.lifetime >= 1 && body.lifetime <= paperDaysMax;
}

function ageIsWellFormed({ body }: Reading): boolean {
  if (body.testHours === noTest) return body.testTens === 0;
  return body.purpose === "phone" && body.testTens <= 5;
}

function keyIsKnown(reading: Reading): boolean {
  const key = reading.trust.keys.get(toHex(reading.body.kid));
  if (!key) return false;
  reading.key = key;
  if (isPhone(reading)) reading.epoch = epochOf(reading.body.start, reading.trust.offsets.get(key.realm)!);
  return true;
}

async function signatureHolds(reading: Reading): Promise<boolean> {
  const { key, raw, body } = reading;
  const input = signatureInput(body.kid, codeContext(key.purpose, key.realm), raw.slice(0, bodyLength));
  reading.signed = await isSigned(input, raw.slice(bodyLength, signedLength), key.publicKey);
  return reading.signed;
}

function endsWithEpoch(reading: Reading): boolean {
  if (reading.epoch === null) return true;
  const offset = reading.trust.offsets.get(reading.key.realm)!;
  return endsAt(reading.body) <= epochEndSeconds(reading.epoch, offset) + overlapMinutes * 60;
}

function clockIsTrusted({ clock, now }: Reading): boolean {
  const age = now - clock.disciplinedAt;
  return !clock.powerCut && now >= clock.floor && age >= 0 && age <= disciplineSeconds;
}

function isNoRepeat(reading: Reading): boolean {
  if (!isPhone(reading) || !reading.policy.admissionPoint) return true;
  const body = toHex(reading.raw.slice(0, bodyLength));
  const slot = slotOf(reading);
  const seen = reading.replay.find(body, reading.now);
  if (seen && slot <= seen.slot) {
    if (seen.interaction !== reading.interaction || !seen.answer) return false;
    reading.sameInteraction = seen.answer;
    return true;
  }
  reading.sighting = reading.replay.record(body, { slot, interaction: reading.interaction, seenAt: reading.now });
  return true;
}

function hasList(reading: Reading): boolean {
  const { body } = reading;
  const view = reading.source.view(reading.key.realm, body.purpose, reading.epoch);
  if (!view) return false;
  reading.view = view;
  // A cold code may have been signed days before its start: it is never knowledge (PL1 6.3).
  reading.knownAt = codeKind(body) === "hot" ? Math.max(startsAt(body), view.asOf) : view.asOf;
  return true;
}

function indexExists(reading: Reading): boolean {
  if (reading.body.index >= reading.view.size) return false;
  reading.state = reading.view.state(reading.body.index);
  return true;
}

function documentAgrees(reading: Reading): boolean {
  const { body, document, epoch } = reading;
  if (document?.kind === "phone" && epoch !== null) {
    const key = document.tagKeys.get(epoch);
    return !key || documentTag(key, body.index, document.type, document.number) === body.byte32;
  }
  if (document?.kind !== "paper" || isPhone(reading)) return true;
  const birth = document.birth;
  const known = birth !== null && (body.byte32 !== 0 || body.byte33 !== 0);
  return document.maskedName === holderName(body) && (!known || (birth[0] === body.byte32 && birth[1] === body.byte33));
}

export const checks: readonly Check[] = [
  {
    answer: "not-found", reason: "not-pl1",
    holds: ({ text }) => (text.length === phoneTextLength || text.length === paperTextLength) && text.startsWith(prefix),
  },
  { answer: "not-found", reason: "encoding", holds: decodes },
  { answer: "not-found", reason: "version", holds: ({ body }) => body.version === version },
  { answer: "not-found", reason: "suite", holds: ({ body, policy }) => policy.suites.includes(body.suite) },
  {
    answer: "not-found", reason: "reserved",
    holds: ({ body }) => body.reserved1 === 0 && body.reserved11 === 0 && (body.purpose === "paper" || body.byte33 === 0),
  },
  { answer: "not-found", reason: "binding", holds: (r) => r.body.binding === (isPhone(r) ? 1 : 0) },
  {
    answer: "not-found", reason: "colour",
    holds: ({ body }) => (body.purpose === "phone" ? body.colour !== 0 : body.colour === 0 && body.slotCode === 0),
  },
  { answer: "not-found", reason: "lifetime", holds: lifetimeFits },
  { answer: "not-found", reason: "test-age", holds: ageIsWellFormed },
  { answer: "not-found", reason: "holder", holds: (r) => isPhone(r) || holderIsWellFormed(r.body) },
  { answer: "undetermined", reason: "trust-stale", holds: ({ now, trust }) => now < trust.expiresAt },
  { answer: "not-found", reason: "key-unknown", holds: keyIsKnown },
  {
    answer: "not-found", reason: "key-purpose",
    holds: ({ key, body }) => key.purpose === body.purpose && key.suite === body.suite && key.slotCode === body.slotCode,
  },
  { answer: "expired", reason: "key-revoked", holds: ({ key }) => !key.revoked },
  {
    answer: "not-found", reason: "key-period",
    holds: ({ key, body }) => key.startsFrom <= startsAt(body) && startsAt(body) < key.startsUntil,
  },
  { answer: "not-found", reason: "signature", holds: signatureHolds },
  { answer: "not-found", reason: "epoch", holds: endsWithEpoch },
  { answer: "undetermined", reason: "clock-unsure", holds: clockIsTrusted },
  {
    answer: "undetermined", reason: "not-yet",
    holds: (r) => r.now >= startsAt(r.body) - (isPhone(r) ? slotSeconds(r.body) : 0),
  },
  { answer: "expired", reason: "expired", holds: ({ now, body }) => now < endsAt(body) },
  {
    answer: "not-found", reason: "slot-range",
    holds: (r) => !isPhone(r) || slotOf(r) < Math.floor(lifetimeSeconds(r.body) / slotSeconds(r.body)),
  },
  { answer: "expired", reason: "slot-old", holds: (r) => !isPhone(r) || slotOf(r) >= slotNow(r) - 1 },
  { answer: "undetermined", reason: "slot-ahead", holds: (r) => !isPhone(r) || slotOf(r) <= slotNow(r) + 1 },
  {
    answer: "not-found", reason: "chain",
    holds: (r) => !isPhone(r) || leadsTo(r.body.middle, slotOf(r), r.raw.slice(linkOffset), chainSalt(r.body, r.raw[0]!)),
  },
  { answer: "undetermined", reason: "repeat", holds: isNoRepeat },
  { answer: "undetermined", reason: "no-list", holds: hasList },
  { answer: "undetermined", reason: "stale", holds: (r) => r.now - r.knownAt! <= r.policy.freshnessSeconds },
  { answer: "not-found", reason: "index-range", holds: indexExists },
  { answer: "expired", reason: "withdrawn", holds: ({ state }) => state !== 3 },
  { answer: "undetermined", reason: "document", holds: documentAgrees },
];
