// The trust list: which keys count, for what, and until when (PL1 2.3, 8).

import { type Bytes, ascii, equal, fromBase64url, fromHex, toHex } from "./bytes.ts";
import { isSigned, isSoundPublicKey, keyId, signatureInput } from "./signing.ts";

export type Purpose = "phone" | "paper" | "list" | "venue" | "grant";

/** A public key with its one purpose; times are POSIX seconds, half-open. */
export interface TrustedKey {
  readonly kid: Bytes;
  readonly realm: string;
  readonly purpose: Purpose;
  readonly suite: number;
  readonly slotCode: number;
  readonly publicKey: Bytes;
  readonly startsFrom: number;
  readonly signsUntil: number;
  readonly startsUntil: number;
  readonly listedUntil: number;
  readonly revoked: boolean;
}

export interface TrustList {
  readonly sequence: number;
  readonly expiresAt: number;
  /** Fixed UTC offset of each realm in minutes. */
  readonly offsets: ReadonlyMap<string, number>;
  /** By key id in hexadecimal. */
  readonly keys: ReadonlyMap<string, TrustedKey>;
}

/** A trust list is refused as a whole; the former one stays in use. */
export class TrustRefused extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

interface KeyEntry {
  kid: string;
  realm: string;
  purpose: Purpose;
  suite: number;
  slot_code: number;
  public_key: string;
  starts_from: string;
  signs_until: string;
  starts_until: string;
  listed_until: string;
  revoked: boolean;
}

interface Payload {
  format: number;
  sequence: number;
  expires_at: string;
  realms: Record<string, { offset_minutes: number }>;
  keys: KeyEntry[];
}

/**
 * Returns the list of a signed document.
 *
 * @param roots public keys that may sign it
 * @param sequenceMin the highest number seen: the version never falls
 */
export async function openTrustList(
  document: string, options: { realm: string; roots: readonly Bytes[]; sequenceMin?: number },
): Promise<TrustList> {
  const envelope = parse<{ kid: string; payload: string; signature: string }>(document);
  const [kid, payload, signature] = readEnvelope(envelope);
  const input = signatureInput(kid, ascii(`passlight/trust/${options.realm}`), payload);
  let signed = false;
  for (const root of options.roots) {
    const known = equal(keyId(1, "list", options.realm, root), kid) && isSoundPublicKey(root);
    signed ||= known && (await isSigned(input, signature, root));
  }
  if (!signed) throw new TrustRefused("trust_signature");
  const trust = readTrustPayload(new TextDecoder().decode(payload));
  if (trust.sequence < (options.sequenceMin ?? 0)) throw new TrustRefused("trust_rolled_back");
  return trust;
}

/** Returns the list of a payload whose signature is checked already. */
export function readTrustPayload(text: string): TrustList {
  try {
    return readPayload(parse<Payload>(text));
  } catch (error) {
    // A field that is missing or of another kind: refused like every other fault.
    throw error instanceof TrustRefused ? error : new TrustRefused("trust_malformed");
  }
}

function readPayload(payload: Payload): TrustList {
  if (payload.format !== 1 || !Array.isArray(payload.keys)) throw new TrustRefused("trust_malformed");
  const offsets = new Map<string, number>();
  for (const [name, realm] of Object.entries(payload.realms)) offsets.set(name, realm.offset_minutes);
  const keys = new Map<string, TrustedKey>();
  for (const entry of payload.keys) {
    const key = readKey(entry);
    const kid = toHex(key.kid);
    if (keys.has(kid)) throw new TrustRefused("trust_kid_twice");
    if (!offsets.has(key.realm) || !/^[a-z0-9-]{1,24}$/.test(key.realm)) throw new TrustRefused("trust_realm");
    keys.set(kid, key);
  }
  return { sequence: payload.sequence, expiresAt: seconds(payload.expires_at), offsets, keys };
}

function readEnvelope(envelope: { kid: string; payload: string; signature: string }): [Bytes, Bytes, Bytes] {
  try {
    return [fromHex(envelope.kid), fromBase64url(envelope.payload), fromBase64url(envelope.signature)];
  } catch {
    throw new TrustRefused("trust_malformed");
  }
}

function readKey(entry: KeyEntry): TrustedKey {
  if (typeof entry.revoked !== "boolean") throw new TrustRefused("trust_malformed");
  const publicKey = fromHex(entry.public_key);
  // Under a small-order key most libraries take one fixed signature for any message.
  if (entry.suite === 1 && !isSoundPublicKey(publicKey)) throw new TrustRefused("trust_weak_key");
  const kid = keyId(entry.suite, entry.purpose, entry.realm, publicKey);
  if (toHex(kid) !== entry.kid) throw new TrustRefused("trust_kid_wrong");
  return {
    kid,
    realm: entry.realm,
    purpose: entry.purpose,
    suite: entry.suite,
    slotCode: entry.slot_code,
    publicKey,
    startsFrom: seconds(entry.starts_from),
    signsUntil: seconds(entry.signs_until),
    startsUntil: seconds(entry.starts_until),
    listedUntil: seconds(entry.listed_until),
    revoked: entry.revoked,
  };
}

function seconds(text: string): number {
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) ? Date.parse(text) / 1000 : Number.NaN;
  if (Number.isNaN(at)) throw new TrustRefused("trust_malformed");
  return at;
}

function parse<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new TrustRefused("trust_malformed");
  }
}
