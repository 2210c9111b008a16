// Ed25519 on the platform and in the library, beside the vectors of RFC 8032.

import assert from "node:assert/strict";
import { test } from "node:test";

import { fromHex, toHex } from "./bytes.ts";
import { chooseVerifier, isLowS, isSoundPublicKey, nobleVerifySignature, signatureInput, webCryptoVerify } from "./signing.ts";

// RFC 8032 7.1, test 3.
const key = fromHex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
const message = fromHex("af82");
const signature = fromHex(
  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
);

for (const [name, verify] of [["WebCrypto", webCryptoVerify], ["noble", nobleVerifySignature]] as const) {
  test(`${name} takes RFC 8032 test 3 and nothing beside it`, async () => {
    assert.equal(await verify(message, signature, key), true);
    assert.equal(await verify(fromHex("af83"), signature, key), false);
    const other = signature.slice();
    other[5]! ^= 1;
    assert.equal(await verify(message, other, key), false);
  });
}

test("the platform's verifier is chosen where it works", async () => {
  assert.equal(await chooseVerifier(), webCryptoVerify);
});

test("S of a good signature is low, S + L is not", () => {
  assert.equal(isLowS(signature), true);
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  let s = BigInt(`0x${toHex(signature.slice(32).reverse())}`) + order;
  const high = signature.slice();
  for (let at = 32; at < 64; at += 1, s >>= 8n) high[at] = Number(s & 255n);
  assert.equal(isLowS(high), false);
});

test("a sound key is taken, a point of order 4 is not", () => {
  assert.equal(isSoundPublicKey(key), true);
  assert.equal(isSoundPublicKey(new Uint8Array(32)), false);
});

test("the signature input begins as field/09 11 says", () => {
  const body = fromHex("11549664f2980729c000130300abcdefb75a9e2e2c618752a79bbb3e6e0025005a00");
  const context = new TextEncoder().encode("passlight/PL1/phone/cn-310118");
  const input = toHex(signatureInput(fromHex("9664f298"), context, body));
  assert.ok(input.startsWith("846a5369676e61747572653149a2012704449664f298581d"));
  assert.ok(input.includes("582211549664"));
});
