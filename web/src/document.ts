// The payload of a door document, checked as far as a decision leans on it: a document with a gap is refused whole.

import { EnvelopeRefused } from "./core/envelope.ts";
import type { DoorDocument, DoorPolicy, Requirement, Watched } from "./core/verdict.ts";

const answers: readonly Requirement[] = ["yellow", "red", "unknown", "expired", "not-found", "closed"];

/** Returns the document; what a decision could ever ask for stands in it. */
export function readDoor(payload: string): DoorDocument {
  let found: DoorDocument;
  try {
    found = JSON.parse(payload) as DoorDocument;
  } catch {
    throw new EnvelopeRefused("malformed");
  }
  const texts = [found.realm, found.venue, found.entrance, found.zone, found.made_at, found.effective_until];
  if (found.format !== 1) throw new EnvelopeRefused("format");
  if (texts.some((text) => typeof text !== "string") || !Number.isInteger(found.offset)) throw new EnvelopeRefused("malformed");
  if (!(Date.parse(found.made_at) < Date.parse(found.effective_until))) throw new EnvelopeRefused("period");
  if (!Array.isArray(found.policies) || !found.policies.some((policy) => policy.role === "visitor")) throw new EnvelopeRefused("no-visitor");
  if (found.policies.some((policy) => !isWhole(policy))) throw new EnvelopeRefused("gap");
  return found;
}

function isWhole(policy: DoorPolicy): boolean {
  const { failures, unobserved, colours, questions } = policy;
  if (typeof policy.id !== "string" || !Number.isInteger(policy.freshness_seconds) || policy.freshness_seconds <= 0) return false;
  if (!Array.isArray(colours) || !Array.isArray(questions)) return false;
  const needed: Requirement[] = answers.filter((name) => !(colours as readonly string[]).includes(name));
  if (!colours.includes("green")) return false; // a door where nobody may enter is closed, not a policy
  if (policy.test) needed.push("test", "test-none");
  if (policy.mask) needed.push("mask");
  if (policy.temperature) needed.push("temperature");
  if (questions.length > 0) needed.push("declaration", ...questions.map((question) => question.requirement));
  if (policy.registration) needed.push("registration");
  const watched: Watched[] = [];
  if (policy.mask) watched.push("mask");
  if (questions.length > 0) watched.push("questions");
  if (policy.temperature?.required) watched.push("temperature");
  return needed.every((name) => failures[name] !== undefined) && watched.every((name) => unobserved[name] !== undefined);
}
