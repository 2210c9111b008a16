// Records on their way: kept until the gateway says each is durable, sent again until then, exactly once each.

import { Away, Refused } from "./refusal.ts";

/** One act at a door, as the gateway's `POST /v1/records` takes it; `entry` is the whole of it (core/entry). */
export interface DoorRecord {
  readonly key: string;
  readonly kind: "admit" | "ask" | "refuse" | "isolate" | "report" | "exit";
  readonly verification: string | null;
  readonly venue: string;
  readonly entrance: string;
  readonly occurred_at: string;
  readonly answer: string;
  readonly reason: string;
  readonly lookup: string | null;
  readonly note: string;
  readonly entry?: unknown;
}

export interface RecordsAnswer {
  readonly acknowledged: string[];
  readonly conflicts: string[];
  readonly refused: readonly { key: string; error: string }[];
}

/** Where records wait; a record that was put is on disk. */
export interface Tray {
  put(record: DoorRecord): Promise<void>;
  all(): Promise<DoorRecord[]>;
  remove(key: string): Promise<void>;
  /** A record that the server will never take, with its reason: kept to be shown, not sent again. */
  setAside(record: DoorRecord, error: string): Promise<void>;
}

const batch = 50;

/** The queue of one checker on this device. */
export class RecordQueue {
  private sending: Promise<void> | null = null;

  /**
   * @param send to the gateway; throws Away or Refused
   * @param changed hears how many wait
   * @param landed hears the keys that are durable at the server
   */
  constructor(
    private readonly tray: Tray,
    private readonly send: (records: readonly DoorRecord[]) => Promise<RecordsAnswer>,
    private readonly changed: (waiting: number) => void,
    private readonly landed: (keys: readonly string[]) => void = () => undefined,
  ) {}

  /** Keeps a record; resolved when it is safe on this device. */
  async add(record: DoorRecord): Promise<void> {
    await this.tray.put(record);
    await this.tell();
    void this.flush();
  }

  /** Sends what waits. A record that is added meanwhile is sent by the same run or the next. */
  flush(): Promise<void> {
    this.sending ??= this.sendAll().finally(() => {
      this.sending = null;
    });
    return this.sending;
  }

  /** Sends what waits; returns how many still do. */
  async drain(): Promise<number> {
    await this.flush();
    return (await this.tray.all()).length;
  }

  private async sendAll(): Promise<void> {
    try {
      for (;;) {
        const records = (await this.tray.all()).slice(0, batch);
        if (records.length === 0) break;
        if ((await this.settle(records, await this.send(records))) === 0) break;
      }
    } catch (error) {
      if (!(error instanceof Away || error instanceof Refused)) throw error;
      // A batch with one record that cannot be read is refused whole: each alone, so that one holds up nobody else.
      if (error instanceof Refused && isAboutRecords(error)) await this.sendOneByOne();
    } finally {
      await this.tell();
    }
  }

  private async sendOneByOne(): Promise<void> {
    for (const record of await this.tray.all()) {
      try {
        await this.settle([record], await this.send([record]));
      } catch (error) {
        if (!(error instanceof Refused) || !isAboutRecords(error)) return;
        // An equal key with equal content is acknowledged; this one can never be.
        await this.tray.setAside(record, error.code);
      }
    }
  }

  /** Takes out what is settled; returns how many. */
  private async settle(sent: readonly DoorRecord[], answer: RecordsAnswer): Promise<number> {
    const errors = new Map(answer.refused.map((record) => [record.key, record.error]));
    for (const key of answer.conflicts) if (!errors.has(key)) errors.set(key, "key-conflict");
    let settled = 0;
    for (const record of sent) {
      const error = errors.get(record.key);
      // An entry that the server cannot read must not take the act with it: the act goes again, alone, under its key.
      if (error === "bad-entry" && record.entry != null) await this.tray.put({ ...record, entry: null, note: "bad-entry" });
      else if (error !== undefined) await this.tray.setAside(record, error);
      else if (answer.acknowledged.includes(record.key)) await this.tray.remove(record.key);
      else continue;
      settled += 1;
    }
    if (answer.acknowledged.length > 0) this.landed(answer.acknowledged);
    return settled;
  }

  private async tell(): Promise<void> {
    this.changed((await this.tray.all()).length);
  }
}

function isAboutRecords(error: Refused): boolean {
  return error.status === 400 || error.status === 409 || error.status === 422;
}
