// Base45 (RFC 9285), strictly: each text has one value and each value one text.

import type { Bytes } from "./bytes.ts";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const values = new Map([...alphabet].map((symbol, value) => [symbol, value]));

/** Returns the text of an even number of bytes, three symbols for two bytes. */
export function encode(data: Uint8Array): string {
  if (data.length % 2) throw new RangeError("a code has an even length");
  let text = "";
  for (let at = 0; at < data.length; at += 2) {
    const value = (data[at]! << 8) | data[at + 1]!;
    text += alphabet[value % 45]! + alphabet[Math.trunc(value / 45) % 45]! + alphabet[Math.trunc(value / 2025)]!;
  }
  return text;
}

/** Returns the bytes, or null: a foreign symbol, a triple over 65,535, a rest. */
export function decode(text: string): Bytes | null {
  if (text.length % 3) return null;
  const data = new Uint8Array((text.length / 3) * 2);
  for (let at = 0; at < text.length; at += 3) {
    const low = values.get(text[at]!);
    const middle = values.get(text[at + 1]!);
    const high = values.get(text[at + 2]!);
    if (low === undefined || middle === undefined || high === undefined) return null;
    const value = low + 45 * middle + 2025 * high;
    if (value > 0xffff) return null;
    data[(at / 3) * 2] = value >> 8;
    data[(at / 3) * 2 + 1] = value & 0xff;
  }
  return data;
}
