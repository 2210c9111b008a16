// A signed envelope, `{"kid","payload","signature"}`: the payload is base64url of the exact JSON bytes that are signed.

import { type Bytes, ascii, equal, fromBase64url, fromHex, toHex } from "./bytes.ts";
import { isSigned, isSoundPublicKey, keyId, signatureInput } from "./signing.ts";
import type { TrustList } from "./trust.ts";

/** A document is refused as a whole; whatever was held before stays in use. */
export class EnvelopeRefused extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

/** Whose signature counts: the pinned roots, and the list keys that the trust list names. */
export interface Signers {
  readonly realm: string;
  readonly roots: readonly Bytes[];
  readonly trust: TrustList | null;
}

/** Returns the payload's text when a list key of this realm signed it under this context. */
export async function openEnvelope(document: string, context: string, signers: Signers, now: number): Promise<string> {
  const [kid, payload, signature] = readEnvelope(document);
  const input = signatureInput(kid, ascii(context), payload);
  for (const key of keysOf(kid, signers, now)) {
    if (await isSigned(input, signature, key)) return new TextDecoder().decode(payload);
  }
  throw new EnvelopeRefused("signature");
}

function keysOf(kid: Bytes, { realm, roots, trust }: Signers, now: number): Bytes[] {
  const listed = trust?.keys.get(toHex(kid));
  // A key that the list revokes is no root any more, however it was pinned.
  if (listed?.revoked) return [];
  const found = roots.filter((root) => equal(keyId(1, "list", realm, root), kid) && isSoundPublicKey(root));
  const inPeriod = listed && listed.startsFrom <= now && now < listed.listedUntil;
  if (inPeriod && listed.purpose === "list" && listed.realm === realm && listed.suite === 1) found.push(listed.publicKey);
  return found;
}

function readEnvelope(document: string): [Bytes, Bytes, Bytes] {
  try {
    const held = JSON.parse(document) as { kid: string; payload: string; signature: string };
    return [fromHex(held.kid), fromBase64url(held.payload), fromBase64url(held.signature)];
  } catch {
    throw new EnvelopeRefused("malformed");
  }
}
