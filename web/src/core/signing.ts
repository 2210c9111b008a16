// Signatures: COSE signature input, key ids, and Ed25519 without its loose ends (PL1 2.3).
// WebCrypto where the platform has Ed25519, @noble/ed25519 where it has not.

import { Point, hashes, verify as nobleVerify } from "@noble/ed25519";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";

import { type Bytes, ascii, join } from "./bytes.ts";

hashes.sha512 = sha512;

/** The order of the group; a signature's second half must be below it. */
const order = 2n ** 252n + 27742317777372353535851937790883648493n;

export type VerifySignature = (message: Bytes, signature: Bytes, publicKey: Bytes) => Promise<boolean>;

/** Returns the four bytes that name a key inside the trust list. */
export function keyId(suite: number, purpose: string, realm: string, publicKey: Uint8Array): Bytes {
  const nul = Uint8Array.of(0);
  return sha256(
    join(ascii("PL1 kid"), nul, Uint8Array.of(suite), ascii(purpose), nul, ascii(realm), nul, publicKey),
  ).slice(0, 4);
}

/** Returns the external data of a code's signature: the realm must be inside. */
export function codeContext(purpose: string, realm: string): Bytes {
  return ascii(`passlight/PL1/${purpose}/${realm}`);
}

/** Returns the COSE Sig_structure ["Signature1", {1: -8, 4: kid}, context, body] in deterministic CBOR. */
export function signatureInput(kid: Uint8Array, context: Uint8Array, body: Uint8Array): Bytes {
  const header = join(Uint8Array.of(0xa2, 0x01, 0x27, 0x04), byteString(kid));
  return join(Uint8Array.of(0x84, 0x6a), ascii("Signature1"), byteString(header), byteString(context), byteString(body));
}

function byteString(data: Uint8Array): Bytes {
  const size = data.length;
  let head: number[];
  if (size < 24) head = [0x40 | size];
  else if (size < 0x100) head = [0x58, size];
  else if (size < 0x10000) head = [0x59, size >> 8, size & 0xff];
  else head = [0x5a, size >>> 24, (size >> 16) & 0xff, (size >> 8) & 0xff, size & 0xff];
  return join(Uint8Array.from(head), data);
}

/** Returns whether S is below the group's order: libraries differ in it, so none is asked. */
export function isLowS(signature: Uint8Array): boolean {
  let s = 0n;
  for (let at = 63; at >= 32; at -= 1) s = (s << 8n) | BigInt(signature[at]!);
  return s < order;
}

let platform: Promise<VerifySignature> | null = null;

/** Returns whether an Ed25519 signature is good, strictly. */
export async function isSigned(message: Bytes, signature: Bytes, publicKey: Bytes): Promise<boolean> {
  if (signature.length !== 64 || !isLowS(signature)) return false;
  platform ??= chooseVerifier();
  return (await platform)(message, signature, publicKey);
}

/** Returns WebCrypto's verifier when it knows a good signature from a bad one, else noble's. */
export async function chooseVerifier(): Promise<VerifySignature> {
  // RFC 8032 7.1, test 1.
  const key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
  const signed =
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
  const bytes = (text: string) => Uint8Array.from(text.match(/../g)!, (pair) => Number.parseInt(pair, 16));
  try {
    const empty = new Uint8Array(0);
    const good = await webCryptoVerify(empty, bytes(signed), bytes(key));
    const bad = await webCryptoVerify(Uint8Array.of(1), bytes(signed), bytes(key));
    if (good && !bad) return webCryptoVerify;
  } catch {
    // The platform has no Ed25519: the library takes its place.
  }
  return nobleVerifySignature;
}

export const webCryptoVerify: VerifySignature = async (message, signature, publicKey) => {
  const key = await crypto.subtle.importKey("raw", publicKey, { name: "Ed25519" }, false, ["verify"]);
  return crypto.subtle.verify({ name: "Ed25519" }, key, signature, message);
};

export const nobleVerifySignature: VerifySignature = async (message, signature, publicKey) => {
  try {
    return nobleVerify(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
};

/** Returns whether a public key is canonical, on the curve and of prime order. */
export function isSoundPublicKey(publicKey: Bytes): boolean {
  try {
    const point = Point.fromBytes(publicKey, false);
    return !point.isSmallOrder() && point.isTorsionFree();
  } catch {
    return false;
  }
}

/** Returns the document tag of PL1 2.6, 0…255. */
export function documentTag(key: Uint8Array, index: number, documentType: string, number: string): number {
  const place = new Uint8Array(4);
  new DataView(place.buffer).setUint32(0, index);
  return hmac(sha256, key, join(ascii("PL1 tag"), place, ascii(documentType), Uint8Array.of(0), ascii(number)))[0]!;
}
