// How many are inside, and how many this phone may still admit by itself: its own small block of places.

import { DoorPlaces, type PlacesKept, type PlacesReply, groupLeases } from "./core/places.ts";
import { Away, Refused } from "./refusal.ts";

/** Asks the gateway; throws Away or Refused. */
export type AskPlaces = (body: Record<string, unknown>) => Promise<PlacesReply>;

export interface RoomShelf {
  get<T>(key: string): Promise<T | undefined>;
  put(key: string, value: unknown): Promise<void>;
}

export interface RoomView {
  readonly inside: number;
  readonly cap: number;
  readonly left: number;
  readonly full: boolean;
}

/** Enough for the next minute at a door that admits one person every six seconds. */
const block = 10;
const low = 5;
const freshSeconds = 15;
const staleMax = 3;
const uncountedEverySeconds = 300;

export class Room {
  private places = new DoorPlaces();
  private counted: boolean | null = null;
  private toldAt = -Infinity;
  private stales = 0;
  private askedAt = -Infinity;
  /** The lease of who was admitted at this door, by whom: their exit gives the place back. */
  private visits = new Map<string, string>();
  private readonly name: string;

  constructor(
    private readonly door: { readonly venue: string; readonly entrance: string },
    private readonly boot: string,
    private readonly askServer: AskPlaces,
    private readonly shelf: RoomShelf,
    private readonly seconds: () => number,
  ) {
    this.name = `room:${door.venue}:${door.entrance}`;
  }

  async restore(): Promise<void> {
    const kept = await this.shelf.get<{ places: PlacesKept; visits: [string, string][]; counted: boolean | null }>(this.name);
    if (!kept) return;
    this.places = DoorPlaces.restore(kept.places, this.seconds());
    this.visits = new Map(kept.visits);
    this.counted = kept.counted;
  }

  /** What stands beside the camera; null where nobody is counted, or before anything was told. */
  get view(): RoomView | null {
    const { inside, cap } = this.places;
    if (this.counted !== true || cap === null) return null;
    const left = this.places.unused(this.seconds());
    return { inside, cap, left, full: left === 0 };
  }

  /** Whether one more may come in: full only when the server has just said so; otherwise without places it is not known. */
  has(people: number): "free" | "full" | "unknown" {
    if (this.counted === false) return "free";
    if (this.places.unused(this.seconds()) >= people) return "free";
    return this.counted === true && this.seconds() - this.toldAt <= freshSeconds ? "full" : "unknown";
  }

  /** Takes a place for everybody of one scan; returns the lease for the record, empty where no place was taken. */
  async admit(visit: string, who: string, people: number): Promise<string> {
    if (this.counted !== true || !this.places.take(await groupLeases(visit, people), this.seconds())) return "";
    if (who) this.visits.set(who, visit);
    await this.keep();
    void this.ask();
    return visit;
  }

  /** Gives the place back of who leaves; returns their visit, null when this door did not admit them. */
  async exit(who: string): Promise<string | null> {
    const visit = who ? this.visits.get(who) : undefined;
    if (!visit) return null;
    this.visits.delete(who);
    this.places.giveBack(visit, this.seconds());
    await this.keep();
    void this.ask();
    return visit;
  }

  /** Reports and borrows; a lost answer lends nothing, a refused session is begun again. */
  async ask(): Promise<void> {
    const left = this.places.borrowedLeft;
    this.askedAt = this.seconds();
    const body = { ...this.door, boot: this.boot, ...this.places.ask(this.seconds(), left < low ? block - left : 0) };
    try {
      const greeting = this.places.session === 0;
      const reply = await this.askServer(body);
      this.counted = true;
      if (this.places.granted(reply, this.seconds())) {
        this.toldAt = this.seconds();
        this.stales = 0;
      }
      await this.keep();
      if (greeting) await this.ask();
    } catch (error) {
      if (error instanceof Refused) await this.refused(error);
      else if (!(error instanceof Away)) throw error;
    }
  }

  /** When it is time to ask: every few seconds where people are counted, else now and then. */
  get due(): boolean {
    return this.counted !== false || this.seconds() - this.askedAt >= uncountedEverySeconds;
  }

  private async refused(error: Refused): Promise<void> {
    if (error.code === "no-places") {
      this.counted = false;
      await this.keep();
    } else if (error.code === "places-stale" || error.code === "places-conflict") {
      this.places.stale();
      this.stales += 1;
      if (this.stales <= staleMax) await this.ask();
    }
  }

  private keep(): Promise<void> {
    return this.shelf.put(this.name, { places: this.places.keep(this.seconds()), visits: [...this.visits].slice(-2_000), counted: this.counted });
  }
}

/**
 * Seconds that never run backwards and never stand still: the faster of the two clocks counts, so that a phone which
 * slept, or whose clock was moved, gives borrowed places up early rather than late.
 */
export function doorSeconds(
  clocks: { wall: () => number; monotonic: () => number } = { wall: () => Date.now(), monotonic: () => performance.now() },
): () => number {
  let [wall, monotonic, total] = [clocks.wall(), clocks.monotonic(), 0];
  return () => {
    const [nextWall, nextMonotonic] = [clocks.wall(), clocks.monotonic()];
    total += Math.max(nextWall - wall, nextMonotonic - monotonic, 0) / 1000;
    [wall, monotonic] = [nextWall, nextMonotonic];
    return total;
  };
}
