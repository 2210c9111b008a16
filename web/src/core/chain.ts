// The Lamport chain: what makes a code rotate with no secret at the door (PL1 2.4).
// SHA-256 is synchronous here: a cold code has 4,680 links, and a promise each would take longer.

import { sha256 } from "@noble/hashes/sha2.js";

import { type Bytes, ascii, equal } from "./bytes.ts";

export const valueLength = 16;
const domain = ascii("PL1 link");
const positionAt = domain.length + 6;
const valueAt = positionAt + 2;

/** Returns the chain's salt: only what the phone knows when it asks. */
export function chainSalt(code: { start: number; lifetime: number; slotCode: number }, firstByte = 0x11): Bytes {
  const { start, lifetime, slotCode } = code;
  return Uint8Array.of(firstByte, slotCode, (start >> 16) & 0xff, (start >> 8) & 0xff, start & 0xff, lifetime);
}

/** Returns v0 … vN for a seed; what is shown in slot s is element s + 1. */
export function chain(seed: Uint8Array, salt: Uint8Array, slots: number): Bytes[] {
  if (seed.length !== valueLength) throw new RangeError("a seed has 16 bytes");
  const hashing = new Linking(salt);
  const values: Bytes[] = new Array<Bytes>(slots + 1);
  values[slots] = Uint8Array.from(seed);
  for (let position = slots - 1; position >= 0; position -= 1) {
    values[position] = hashing.link(position, values[position + 1]!);
  }
  return values;
}

/** Returns whether a value shown in a slot hashes to the anchor in slot + 1 steps. */
export function leadsTo(anchor: Uint8Array, slot: number, value: Uint8Array, salt: Uint8Array): boolean {
  const hashing = new Linking(salt);
  let reached = Uint8Array.from(value);
  for (let position = slot; position >= 0; position -= 1) reached = hashing.link(position, reached);
  return equal(reached, anchor);
}

/** One block of 32 bytes, filled again for each link. */
class Linking {
  private readonly block = new Uint8Array(valueAt + valueLength);

  constructor(salt: Uint8Array) {
    this.block.set(domain);
    this.block.set(salt, domain.length);
  }

  link(position: number, value: Uint8Array): Bytes {
    this.block[positionAt] = position >> 8;
    this.block[positionAt + 1] = position & 0xff;
    this.block.set(value, valueAt);
    return sha256(this.block).slice(0, valueLength);
  }
}
