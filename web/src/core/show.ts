// Showing: the text in the QR for the slot of this moment, never a slot too early (PL1 4).

import { encode } from "./base45.ts";
import { type Bytes, join } from "./bytes.ts";
import { chain, chainSalt } from "./chain.ts";
import { phoneLifetimeSeconds, prefix, slotSecondsByCode, startZero } from "./layout.ts";

/** A code that this phone holds: the issuer's 98 bytes and the seed that never left the phone. */
export interface HeldCode {
  readonly signed: Bytes;
  readonly seed: Bytes;
  readonly start: number;
  readonly lifetime: number;
  readonly slotCode: number;
  readonly kind: "hot" | "cold";
  readonly epoch: number;
}

export interface Shown {
  readonly text: string;
  readonly kind: "hot" | "cold";
  readonly slot: number;
  /** When the next slot begins, in server milliseconds. */
  readonly turnsAtMs: number;
  /** When the code ends, in server milliseconds. */
  readonly endsAtMs: number;
}

export function startMs(code: Pick<HeldCode, "start">): number {
  return (startZero + code.start * 60) * 1000;
}

export function endMs(code: Pick<HeldCode, "start" | "lifetime">): number {
  return startMs(code) + phoneLifetimeSeconds(code.lifetime) * 1000;
}

/** Returns the slot of a moment, or null before the code's start and from its end on. */
export function slotAt(code: HeldCode, nowMs: number): number | null {
  if (nowMs < startMs(code) || nowMs >= endMs(code)) return null;
  return Math.floor((nowMs - startMs(code)) / (slotSecondsByCode[code.slotCode]! * 1000));
}

/** Shows codes; keeps the chain of the one on display, since a cold one takes 4,680 hashes. */
export class Presenter {
  private shown: { code: HeldCode; values: readonly Bytes[] } | null = null;

  /** Returns what the QR shows at a moment, or null when the code is not valid then. */
  show(code: HeldCode, nowMs: number): Shown | null {
    const slot = slotAt(code, nowMs);
    if (slot === null) return null;
    if (this.shown?.code.signed !== code.signed) this.shown = { code, values: chainOf(code) };
    const slotMs = slotSecondsByCode[code.slotCode]! * 1000;
    return {
      text: codeText(code.signed, slot, this.shown.values[slot + 1]!),
      kind: code.kind,
      slot,
      turnsAtMs: startMs(code) + (slot + 1) * slotMs,
      endsAtMs: endMs(code),
    };
  }

  /** Forgets the chain on display. */
  forget(): void {
    this.shown = null;
  }
}

/** Returns v0 … vN of a code; v0 is the anchor that the server is given. */
export function chainOf(code: Pick<HeldCode, "seed" | "start" | "lifetime" | "slotCode">): Bytes[] {
  const slots = phoneLifetimeSeconds(code.lifetime) / slotSecondsByCode[code.slotCode]!;
  return chain(code.seed, chainSalt(code), slots);
}

/** Returns the text of a phone code in a slot; `value` is v(slot + 1). */
export function codeText(signed: Uint8Array, slot: number, value: Uint8Array): string {
  return prefix + encode(join(signed, Uint8Array.of(slot >> 8, slot & 0xff), value));
}
