// What the gateway answers, byte for byte as api/openapi.json has it, and what the wallet makes of it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { IssueRefused } from "./core/wallet.ts";
import { Away, Refused, readAnswer } from "./gateway.ts";
import { type Codes, issueAnswer, issueError } from "./issue.ts";

const now = 1_795_392_000_000;
const change = now + 450_000;
const words = { zh: "变色之前", en: "before the change" };

function answered(status: number, body: unknown): Promise<Codes> {
  return readAnswer<Codes>(new Response(JSON.stringify(body), { status }));
}

async function failed(status: number, body: unknown): Promise<unknown> {
  return issueError(await answered(status, body).then(() => assert.fail("an answer"), (error: unknown) => error));
}

test("codes beside refused ones: each refusal keeps its reason and the latest end it names", async () => {
  const answer = issueAnswer(
    await answered(200, {
      now_ms: now,
      epoch_end_ms: now + 1,
      codes: [{ request: 0, body: "AAEC_w", kind: "hot" }],
      refused: [
        { request: 1, error: "change-ahead", message: words, latest_end_ms: change },
        { request: 2, error: "no-key", message: words },
      ],
      status: {},
    }),
  );
  assert.equal(answer.nowMs, now);
  assert.deepEqual(answer.bodies.map((body) => [...body]), [[0, 1, 2, 255]]);
  assert.deepEqual(answer.refused, [
    { code: "change-ahead", latestEndMs: change },
    { code: "no-key", latestEndMs: null },
  ]);
});

test("nothing refused is said as nothing", async () => {
  const answer = issueAnswer(await answered(200, { now_ms: now, epoch_end_ms: now, codes: [], refused: [], status: {} }));
  assert.deepEqual(answer.refused, []);
});

test("all refused: the wallet hears the reason, the server's time and the latest end", async () => {
  const error = await failed(409, { error: "change-ahead", message: words, now_ms: now, latest_end_ms: change });
  assert.ok(error instanceof IssueRefused);
  assert.deepEqual([error.code, error.nowMs, error.latestEndMs], ["change-ahead", now, change]);
  const range = await failed(400, { error: "start-range", message: words, now_ms: now });
  assert.ok(range instanceof IssueRefused);
  assert.deepEqual([range.code, range.nowMs, range.latestEndMs], ["start-range", now, null]);
});

test("what is about the person or the network is no refusal of codes", async () => {
  for (const code of ["no-status", "status-closed", "login", "wrong-role", "grant-revoked"]) {
    const error = await failed(409, { error: code, message: words, now_ms: now });
    assert.ok(error instanceof Refused && error.code === code, code);
  }
  assert.ok((await failed(401, { error: "proof-time", message: words, now_ms: now })) instanceof Refused);
  assert.ok((await failed(503, { error: "no-book", message: words, now_ms: now })) instanceof Away);
});
