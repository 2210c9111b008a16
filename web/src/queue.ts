// Records on their way: kept in IndexedDB until the gateway says each is durable, sent again until then.

import { Away, type Gateway, Refused } from "./gateway.ts";
import { all, put, remove } from "./storage.ts";

/** One act at a door, as the gateway's `POST /v1/records` takes it. */
export interface DoorRecord {
  readonly key: string;
  readonly kind: "admit" | "ask" | "refuse" | "isolate" | "report";
  readonly verification: string | null;
  readonly venue: string;
  readonly entrance: string;
  readonly occurred_at: string;
  readonly answer: string;
  readonly reason: string;
  readonly lookup: string | null;
  readonly note: string;
}

interface Answer {
  readonly acknowledged: string[];
  readonly conflicts: string[];
  readonly refused: readonly { key: string; error: string }[];
}

const batch = 50;
const retryMs = 5_000;

/** The queue of one checker on this device. */
export class RecordQueue {
  private sending: Promise<void> | null = null;

  constructor(
    private readonly gateway: Gateway,
    private readonly owner: string,
    private readonly changed: (waiting: number) => void,
  ) {
    window.addEventListener("online", () => void this.flush());
    setInterval(() => void this.flush(), retryMs);
    void this.flush();
  }

  /** Keeps a record; resolved when it is safe on this device. */
  async add(record: DoorRecord): Promise<void> {
    await put("queue", `${this.owner}:${record.key}`, { owner: this.owner, record });
    await this.tell();
    void this.flush();
  }

  async waiting(): Promise<DoorRecord[]> {
    const held = await all<{ owner: string; record: DoorRecord }>("queue");
    return held.filter((entry) => entry.owner === this.owner).map((entry) => entry.record);
  }

  flush(): Promise<void> {
    this.sending ??= this.send().finally(() => {
      this.sending = null;
    });
    return this.sending;
  }

  private async send(): Promise<void> {
    try {
      for (;;) {
        const records = (await this.waiting()).slice(0, batch);
        if (records.length === 0) break;
        const answer = await this.gateway.call<Answer>("POST", "/v1/records", { records });
        // A conflict or a refusal stays one, however often it is sent: it must not hold up the others.
        const done = [...answer.acknowledged, ...answer.conflicts, ...answer.refused.map((record) => record.key)];
        if (done.length === 0) break;
        for (const key of done) await remove("queue", `${this.owner}:${key}`);
      }
    } catch (error) {
      if (!(error instanceof Away || error instanceof Refused)) throw error;
      if (error instanceof Refused && error.status === 409) await this.sendOneByOne();
    } finally {
      await this.tell();
    }
  }

  /** After a conflict in a batch: each alone, so that one bad key holds up nobody else. */
  private async sendOneByOne(): Promise<void> {
    for (const record of await this.waiting()) {
      try {
        await this.gateway.call<Answer>("POST", "/v1/records", { records: [record] });
      } catch (error) {
        if (!(error instanceof Refused && error.status === 409)) return;
      }
      await remove("queue", `${this.owner}:${record.key}`);
    }
  }

  private async tell(): Promise<void> {
    this.changed((await this.waiting()).length);
  }
}
