// The checker's phone between the pure parts and the world: the gateway, IndexedDB, the answer that comes first.

import type { Answer } from "./core/verify.ts";
import type { Identity } from "./dialogs.ts";
import type { Finding } from "./flow.ts";
import { Away, type Gateway, Refused, postOffice, readAnswer, send } from "./gateway.ts";
import type { Knowledge, Server, Shelf } from "./knowledge.ts";
import { both, known } from "./page.ts";
import type { DoorRecord, RecordsAnswer, Tray } from "./queue.ts";
import type { Two } from "./status.ts";
import { all, get, put, remove } from "./storage.ts";

/** What the server wrote into the door's page. */
export interface DoorPage {
  readonly owner: string;
  readonly badge: string;
  readonly realm: string;
  readonly roots: readonly string[];
  readonly venue: string;
  readonly entrance: string;
  readonly place: Two;
  readonly wasm: string;
}

/** How long a scan waits for the gateway before the phone's own answer is shown. */
export const patienceMs = 300;

/** The answer of `POST /v1/verifications`. */
export interface Told {
  readonly answer: Answer["answer"];
  readonly reason: Two & { readonly code: string };
  readonly advice: Two | null;
  readonly test_age_hours: number | null;
  readonly sampled_from: number | null;
  readonly as_of: string | null;
  readonly lookup: string | null;
  readonly verification: string;
  /** What the gateway would do; the phone decides by the same policy, and takes from it who works here. */
  readonly verdict: { readonly role: string } | null;
}

/** The gateway's signed documents for one door. */
export function doorServer(gateway: Gateway, venue: string, entrance: string): Server {
  const text = async (path: string) => JSON.stringify(await gateway.call("GET", path));
  return {
    trust: async () => JSON.stringify(await readAnswer(await send("/v1/trust"))),
    door: () => text(`/v1/door?venue=${venue}&entrance=${entrance}`),
    statuses: (epoch, since) => text(`/v1/door/statuses?epoch=${epoch}&since=${since}`),
  };
}

export const doorShelf: Shelf = {
  get: (key) => get("door", key),
  put: (key, value) => put("door", key, value),
};

/** The records of one checker in IndexedDB; another user of the same browser has their own. */
export function trayOf(owner: string): Tray {
  return {
    put: (record) => put("queue", `${owner}:${record.key}`, { owner, record }),
    remove: (key) => remove("queue", `${owner}:${key}`),
    all: async () => {
      const held = await all<{ owner: string; record: DoorRecord; aside?: string }>("queue");
      return held.filter((one) => one.owner === owner && one.aside === undefined).map((one) => one.record);
    },
    setAside: (record, error) => put("queue", `${owner}:${record.key}`, { owner, record, aside: error }),
  };
}

export function sendRecords(gateway: Gateway): (records: readonly DoorRecord[]) => Promise<RecordsAnswer> {
  return (records) => gateway.call<RecordsAnswer>("POST", "/v1/records", { records });
}

export type Subject = { readonly text: string } | { readonly subject_token: string };
export interface Place {
  readonly venue: string;
  readonly entrance: string;
}

/**
 * Answers a scan: the gateway's answer when it is there within 300 ms, else the phone's own.
 *
 * @param late hears the gateway's answer when it comes after that, or its refusal
 */
export async function answerScan(
  gateway: Gateway, knowledge: Knowledge, subject: Subject, place: Place, interaction: string, freshnessSeconds: number,
  late: (finding: Finding | Refused | Away) => void,
): Promise<Finding | Refused | Away> {
  const own = "text" in subject ? knowledge.verify(subject.text, { interaction, freshnessSeconds }) : Promise.resolve(null);
  const asked = gateway
    .call<Told>("POST", "/v1/verifications", { text: null, subject_token: null, ...subject, ...place, interaction, presented: {} })
    .catch((error: unknown) => {
      if (error instanceof Away || error instanceof Refused) return error;
      throw error;
    });
  const local = await own;
  const named = async () => {
    const told = await asked;
    return told instanceof Error ? told : findingOfTold(told, local, knowledge);
  };
  // Without anything of its own the phone can only wait.
  if (local === null) return named();
  const first = await Promise.race([named(), new Promise<null>((resolve) => setTimeout(() => resolve(null), patienceMs))]);
  if (first !== null && !(first instanceof Error)) return first;
  if (first === null) void named().then(late);
  else if (first instanceof Refused) return first;
  return findingOfOwn(local, knowledge);
}

/** What the phone found alone. */
export function findingOfOwn(answer: Answer, knowledge: Knowledge): Finding {
  const { body, epoch, realm } = answer;
  const who = body && realm !== null && epoch !== null ? { realm, epoch, index: body.index } : null;
  return {
    answer: answer.answer, reason: answer.reason, text: reasonText(answer), advice: null, sampledFrom: answer.sampledFrom, who,
    mark: who ? `${who.epoch}:${who.index}` : "",
    ...knowledge.staff(epoch, body?.index ?? null), verification: null, asOfMs: knowledge.asOfMs, offline: true,
  };
}

/** What the gateway found; who works here is known by the feed that the phone holds, or told. */
export function findingOfTold(told: Told, local: Answer | null, knowledge: Knowledge): Finding {
  const own = local ? findingOfOwn(local, knowledge) : null;
  return {
    answer: told.answer, reason: told.reason.code, text: told.reason.zh ? told.reason : null, advice: told.advice,
    sampledFrom: told.sampled_from, who: told.lookup ? { lookup: told.lookup } : (own?.who ?? null),
    mark: own?.mark ?? "", ...staffOf(told, own),
    verification: told.verification, asOfMs: told.as_of ? Date.parse(told.as_of) : null, offline: false,
  };
}

function staffOf({ verdict }: Told, own: Finding | null): { staff: boolean; started: boolean } {
  if (verdict) return { staff: verdict.role.startsWith("staff"), started: verdict.role === "staff-reentry" };
  return { staff: own?.staff ?? false, started: own?.started ?? false };
}

function reasonText(answer: Answer): Two | null {
  if (answer.reason === "status") {
    return answer.answer === "red" || answer.answer === "yellow" ? both(`checker.reason_list.${answer.answer}`) : null;
  }
  const code = `gateway.reason-${answer.reason}`;
  return known(code) ? both(code) : null;
}

/** Who it is, masked, given by the office in the transaction that writes the access row; null when it cannot be had. */
export async function identify(gateway: Gateway, lookup: string): Promise<Identity | null> {
  try {
    return await readAnswer<Identity>(await postOffice("/checker/identity/", { lookup, device: await gateway.device() }));
  } catch (error) {
    if (error instanceof Away || error instanceof Refused) return null;
    throw error;
  }
}
