// Layout: the bytes of a PL1 code, fixed offsets, big-endian (PL1 2.1, 2.2).

import { type Bytes } from "./bytes.ts";

export const prefix = "PL1:";
export const version = 1;
export const bodyLength = 34;
export const signedLength = 98;
export const phoneTextLength = 178;
export const paperTextLength = 151;
export const slotSecondsByCode = [15, 20, 30, 60] as const;
export const coldLifetimeMax = 104;
export const hotShortMax = 113;
export const paperDaysMax = 180;
export const noTest = 255;
/** 2026-01-01T00:00:00Z in POSIX seconds. */
export const startZero = 1_767_225_600;

export type CodePurpose = "phone" | "paper";
export type CodeKind = "hot" | "cold" | "paper";

/** The 34 signed bytes, field by field; it may hold values that no door takes. */
export interface Body {
  readonly purpose: CodePurpose;
  readonly version: number;
  readonly suite: number;
  readonly colour: number;
  readonly binding: number;
  readonly slotCode: number;
  readonly reserved1: number;
  readonly kid: Bytes;
  readonly start: number;
  readonly lifetime: number;
  readonly testHours: number;
  readonly testTens: number;
  readonly reserved11: number;
  readonly index: number;
  readonly middle: Bytes;
  readonly byte32: number;
  readonly byte33: number;
}

export function decodeBody(raw: Bytes, purpose: CodePurpose): Body {
  const view = new DataView(raw.buffer, raw.byteOffset, bodyLength);
  const [first, second, tens] = [raw[0]!, raw[1]!, raw[11]!];
  return {
    purpose,
    version: first >> 4,
    suite: first & 15,
    colour: second >> 6,
    binding: (second >> 4) & 3,
    slotCode: (second >> 2) & 3,
    reserved1: second & 3,
    kid: raw.slice(2, 6),
    start: (view.getUint16(6) << 8) | raw[8]!,
    lifetime: raw[9]!,
    testHours: raw[10]!,
    testTens: tens & 7,
    reserved11: tens >> 3,
    index: view.getUint32(12),
    middle: raw.slice(16, 32),
    byte32: raw[32]!,
    byte33: raw[33]!,
  };
}

export function codeKind(body: Pick<Body, "purpose" | "lifetime">): CodeKind {
  if (body.purpose === "paper") return "paper";
  return body.lifetime > 0 && body.lifetime <= coldLifetimeMax ? "cold" : "hot";
}

/** Returns the seconds of a phone code's lifetime byte: 10 min, quarters of an hour, 1…9 min. */
export function phoneLifetimeSeconds(lifetime: number): number {
  if (lifetime === 0) return 600;
  return lifetime <= coldLifetimeMax ? lifetime * 900 : (lifetime - coldLifetimeMax) * 60;
}

export function startsAt(body: Pick<Body, "start">): number {
  return startZero + body.start * 60;
}

export function lifetimeSeconds(body: Pick<Body, "purpose" | "lifetime">): number {
  return body.purpose === "paper" ? body.lifetime * 86_400 : phoneLifetimeSeconds(body.lifetime);
}

export function endsAt(body: Pick<Body, "purpose" | "start" | "lifetime">): number {
  return startsAt(body) + lifetimeSeconds(body);
}

export function slotSeconds(body: Pick<Body, "slotCode">): number {
  return slotSecondsByCode[body.slotCode]!;
}

/** Returns S in POSIX seconds: the sampling lies in [S, S + 10 min); null without a test. */
export function sampledFrom(body: Body): number | null {
  if (body.testHours === noTest) return null;
  const bins = Math.floor(body.start / 10) - 6 * body.testHours - body.testTens;
  return startZero + bins * 600;
}

/** Returns the masked name that a paper code carries. */
export function holderName(body: Body): string {
  return new TextDecoder("utf-8").decode(unpadded(body.middle));
}

const daysOfMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Returns whether a paper code's name and birthday are as PL1 2.2 wants them. */
export function holderIsWellFormed(body: Body): boolean {
  let name: string;
  try {
    name = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(unpadded(body.middle));
  } catch {
    return false;
  }
  if (name === "" || name.normalize("NFC") !== name || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name)) return false;
  if (body.byte32 === 0 && body.byte33 === 0) return true;
  const days = daysOfMonth[body.byte32 - 1];
  return days !== undefined && body.byte33 >= 1 && body.byte33 <= days;
}

function unpadded(bytes: Bytes): Bytes {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return bytes.slice(0, end);
}
