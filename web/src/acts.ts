// What a guard does becomes one record each, safe on the phone before the next person is looked at.

import type { TrustedClock } from "./core/clock.ts";
import type { DoorDocument } from "./core/verdict.ts";
import { type Finding, type Kind, type Visitor, newVisitor, nothing, recordOf, verdictOf } from "./flow.ts";
import type { Knowledge } from "./knowledge.ts";
import type { RecordQueue } from "./queue.ts";
import type { Room } from "./room.ts";

export interface Post {
  readonly venue: string;
  readonly entrance: string;
  /** The badge of the guard. */
  readonly badge: string;
}

export class Acts {
  constructor(
    private readonly post: Post,
    private readonly clock: TrustedClock,
    private readonly knowledge: Knowledge<DoorDocument>,
    private readonly queue: RecordQueue,
    private readonly room: Room,
  ) {}

  /** Keeps one record; when this returns it is safe on the phone. Returns its key. */
  async record(kind: Kind, of: Visitor, about = ""): Promise<string> {
    const { venue, entrance, badge } = this.post;
    const { finding } = of;
    const lease = kind === "admit" ? await this.room.admit(of.visit, finding.mark, 1 + of.minors) : "";
    const key = crypto.randomUUID();
    const occurredAt = new Date(this.clock.now()).toISOString();
    const moment = { venue, entrance, guard: badge, occurredAt, clockSure: this.knowledge.clockSure, lease };
    const door = this.knowledge.door;
    const entry = door ? recordOf(of, verdictOf(of, door, this.knowledge.now), door, kind, moment) : null;
    await this.queue.add({
      key, kind, verification: finding.verification, venue, entrance, occurred_at: occurredAt, answer: finding.answer,
      reason: finding.reason, lookup: finding.who && "lookup" in finding.who ? finding.who.lookup : null, note: "",
      entry: entry && about ? { ...entry, requirement: about } : entry,
    });
    return key;
  }

  /** Records who leaves: by their code, whatever it is worth by now, or without one. */
  async leave(text: string): Promise<void> {
    const answer = text
      ? await this.knowledge.verify(text, { interaction: "exit", freshnessSeconds: 86_400, admission: false })
      : null;
    const { body, epoch, realm } = answer ?? { body: null, epoch: null, realm: null };
    const who = body && epoch !== null && realm !== null ? { realm, epoch, index: body.index } : null;
    const finding: Finding = {
      ...nothing, who, mark: who ? `${who.epoch}:${who.index}` : "", answer: answer?.answer ?? "undetermined",
      reason: answer?.reason ?? "no-code", asOfMs: this.knowledge.asOfMs, offline: !navigator.onLine,
    };
    const visit = (await this.room.exit(finding.mark)) ?? crypto.randomUUID();
    await this.record("exit", newVisitor(visit, finding));
  }
}
