// Codes as the gateway gives and refuses them, in the wallet's words.

import { fromBase64url } from "./core/bytes.ts";
import { type IssueAnswer, IssueRefused } from "./core/wallet.ts";
import { Refused } from "./gateway.ts";
import type { Status } from "./status.ts";

/** The answer of `POST /v1/codes`. */
export interface Codes {
  readonly now_ms: number;
  readonly codes: readonly { readonly body: string }[];
  readonly refused: readonly { readonly error: string; readonly latest_end_ms?: number }[];
  readonly status: Status;
}

/** Answers that are about the person, not about the codes that were asked for. */
const personal = new Set(["no-status", "status-closed", "login", "wrong-role", "grant-revoked"]);

/** Returns what the wallet reads of an answer: the codes, and until when a refused one may last. */
export function issueAnswer(answer: Codes): IssueAnswer {
  return {
    nowMs: answer.now_ms,
    bodies: answer.codes.map((code) => fromBase64url(code.body)),
    refused: answer.refused.map(({ error, latest_end_ms }) => ({ code: error, latestEndMs: latest_end_ms ?? null })),
  };
}

/** Returns the wallet's refusal when the gateway refused these codes, else the error as it is. */
export function issueError(error: unknown): unknown {
  if (!(error instanceof Refused) || personal.has(error.code) || error.status === 401) return error;
  return new IssueRefused(error.code, error.nowMs, error.latestEndMs);
}
