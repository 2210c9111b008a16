// What a checker's phone knows by itself: trust list, door document, status feed, codes just seen, the server's time.
// All of it is signed or its own, lies on the phone, and is enough to answer a scan without network.

import { type Bytes, fromHex } from "./core/bytes.ts";
import type { TrustedClock } from "./core/clock.ts";
import { type Signers, EnvelopeRefused, openEnvelope } from "./core/envelope.ts";
import { epochOf, epochStart, minutesOf, overlapMinutes } from "./core/epochs.ts";
import { FeedRefused, type FeedState, StatusFeed, feedSource } from "./core/feed.ts";
import { type Sighting, ReplaySet } from "./core/replay.ts";
import { type TrustList, TrustRefused, openTrustList } from "./core/trust.ts";
import { type Answer, verify } from "./core/verify.ts";

/** Where signed documents come from: each returns the document's text, or throws. */
export interface Server {
  trust(): Promise<string>;
  door(): Promise<string>;
  statuses(epoch: number, since: number): Promise<string>;
}

/** Where they are kept between two openings of the page. */
export interface Shelf {
  get<T>(key: string): Promise<T | undefined>;
  put(key: string, value: unknown): Promise<void>;
}

/** Whose door this is, and which root keys it was told over its own page. */
export interface Anchor {
  readonly realm: string;
  readonly roots: readonly string[];
  readonly venue: string;
  readonly entrance: string;
}

interface Kept {
  readonly trust: { readonly document: string; readonly sequence: number } | null;
  readonly door: string | null;
  readonly feeds: readonly FeedState[];
  readonly offsetMs: number;
  readonly disciplinedAt: number;
  readonly seen: readonly [string, Omit<Sighting, "answer">][];
}

/** The part of a door document that must be right before anything else of it is read. */
export interface DoorPaper {
  readonly realm: string;
  readonly venue: string;
  readonly entrance: string;
  readonly made_at: string;
  readonly effective_until: string;
}

export interface StaffMark {
  readonly staff: boolean;
  readonly started: boolean;
}

type Kind = "trust" | "door" | "statuses";

const trustEverySeconds = 600;
const doorEverySeconds = 30;

export class Knowledge<Document extends DoorPaper = DoorPaper> {
  private trust: TrustList | null = null;
  private trustHeld: Kept["trust"] = null;
  private doorText: string | null = null;
  private paper: Document | null = null;
  private feeds: StatusFeed[] = [];
  private replay = new ReplaySet();
  private disciplinedAt = 0;
  private askedTrust = 0;
  private askedDoor = 0;
  private readonly roots: readonly Bytes[];
  /** Why the last document of each kind was refused; empty when it was taken. */
  readonly refused = new Map<Kind, string>();

  constructor(
    private readonly anchor: Anchor,
    private readonly server: Server,
    private readonly shelf: Shelf,
    private readonly clock: TrustedClock,
    private readonly read: (payload: string) => Document,
  ) {
    this.roots = anchor.roots.map(fromHex);
  }

  /** The door document in force: none when there never was one, or when its time is over. */
  get door(): Document | null {
    return this.paper && this.clock.now() < Date.parse(this.paper.effective_until) ? this.paper : null;
  }

  /** As of when statuses are known, in milliseconds; null when nothing was ever received. */
  get asOfMs(): number | null {
    const newest = Math.max(...this.feeds.map((feed) => feed.asOf ?? 0));
    return newest > 0 ? newest * 1000 : null;
  }

  /** Whether this phone's time is the server's: told within seven days, and not behind what is known. */
  get clockSure(): boolean {
    const age = this.now - this.disciplinedAt;
    return this.disciplinedAt > 0 && age >= 0 && age <= 7 * 86_400 && this.now >= (this.asOfMs ?? 0) / 1000;
  }

  /** The server's time in POSIX seconds, as well as this phone knows it. */
  get now(): number {
    return Math.floor(this.clock.now() / 1000);
  }

  private get signers(): Signers {
    return { realm: this.anchor.realm, roots: this.roots, trust: this.trust };
  }

  /** Takes back what was kept; every signature is checked again. */
  async restore(): Promise<void> {
    const kept = await this.shelf.get<Kept>(this.name);
    if (!kept) return;
    this.clock.restore(kept.offsetMs);
    this.disciplinedAt = Math.max(this.disciplinedAt, kept.disciplinedAt);
    if (kept.trust) await this.takeTrust(kept.trust.document).catch(ignoreRefusal);
    if (kept.door) await this.takeDoor(kept.door).catch(ignoreRefusal);
    this.feeds = kept.feeds.map((state) => new StatusFeed(state.realm, state.epoch, state));
    for (const [body, sighting] of kept.seen) this.replay.record(body, sighting);
  }

  /** The server has just told the time. */
  disciplined(): void {
    this.disciplinedAt = this.now;
  }

  /** Asks for what is due; a refusal keeps what is held, a failure of the network is the caller's. */
  async poll(): Promise<void> {
    const failures: unknown[] = [];
    const attempt = (kind: Kind, act: () => Promise<void>) => this.attempt(kind, act).catch((error: unknown) => failures.push(error));
    if (!this.trust || this.now - this.askedTrust >= trustEverySeconds) {
      await attempt("trust", async () => {
        await this.takeTrust(await this.server.trust());
        this.askedTrust = this.now;
      });
    }
    if (!this.paper || this.now - this.askedDoor >= doorEverySeconds) {
      await attempt("door", async () => {
        await this.takeDoor(await this.server.door());
        this.askedDoor = this.now;
      });
    }
    for (const epoch of this.epochs()) await attempt("statuses", () => this.askStatuses(epoch));
    await this.keep();
    if (failures.length > 0) throw failures[0];
  }

  /** Answers a scanned text from what is held. */
  async verify(text: string, options: { interaction: string; freshnessSeconds: number; admission?: boolean }): Promise<Answer | null> {
    if (!this.trust) return null;
    const now = this.now;
    const answer = await verify({
      text, now, trust: this.trust, source: feedSource(this.feeds, now), replay: this.replay, interaction: options.interaction,
      policy: { freshnessSeconds: options.freshnessSeconds, admissionPoint: options.admission ?? true, suites: [1] },
      clock: { disciplinedAt: this.disciplinedAt, floor: Math.floor((this.asOfMs ?? 0) / 1000), powerCut: false },
    });
    // A page that is loaded again must not take the same code twice.
    await this.keep();
    return answer;
  }

  /** Whether a code's holder works here, as the feed says. */
  staff(epoch: number | null, index: number | null): StaffMark {
    const feed = this.feeds.find((one) => one.epoch === epoch);
    return (index === null ? null : feed?.staffAt(this.anchor.venue, index)) ?? { staff: false, started: false };
  }

  private get name(): string {
    return `door:${this.anchor.realm}:${this.anchor.venue}:${this.anchor.entrance}`;
  }

  private keep(): Promise<void> {
    const feeds = this.feeds.map((feed) => feed.state).filter((state) => state !== null);
    return this.shelf.put(this.name, {
      trust: this.trustHeld, door: this.doorText, feeds, offsetMs: this.clock.offset,
      disciplinedAt: this.disciplinedAt, seen: this.replay.kept(this.now),
    } satisfies Kept);
  }

  private async attempt(kind: Kind, act: () => Promise<void>): Promise<void> {
    try {
      await act();
      this.refused.set(kind, "");
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.refused.set(kind, error.code);
    }
  }

  private async takeTrust(document: string): Promise<void> {
    const list = await openTrustList(document, {
      realm: this.anchor.realm, roots: this.roots, sequenceMin: this.trustHeld?.sequence ?? 0,
    });
    this.trust = list;
    this.trustHeld = { document, sequence: list.sequence };
  }

  private async takeDoor(document: string): Promise<void> {
    const { realm, venue, entrance } = this.anchor;
    const payload = await openEnvelope(document, `passlight/door/${realm}`, this.signers, this.now);
    const paper = this.read(payload);
    if (paper.realm !== realm || paper.venue !== venue || paper.entrance !== entrance) throw new EnvelopeRefused("place");
    if (this.paper && Date.parse(paper.made_at) < Date.parse(this.paper.made_at)) throw new EnvelopeRefused("older");
    this.paper = paper;
    this.doorText = document;
  }

  /** The epoch of now, and in its first two hours the one before, whose codes may still be shown. */
  private epochs(): number[] {
    const offset = this.trust?.offsets.get(this.anchor.realm);
    if (offset === undefined) return [];
    const minute = minutesOf(this.now);
    const epoch = epochOf(minute, offset);
    return minute - epochStart(epoch, offset) < overlapMinutes ? [epoch - 1, epoch] : [epoch];
  }

  private async askStatuses(epoch: number): Promise<void> {
    const wanted = this.epochs();
    this.feeds = this.feeds.filter((feed) => wanted.includes(feed.epoch));
    let feed = this.feeds.find((one) => one.epoch === epoch);
    if (!feed) this.feeds.push((feed = new StatusFeed(this.anchor.realm, epoch)));
    try {
      await feed.take(await this.server.statuses(epoch, feed.seq), this.signers, this.now);
    } catch (error) {
      // A change that does not fit what is held: the whole is asked for, and held to the same rules.
      if (!(error instanceof FeedRefused) || (error.code !== "gap" && error.code !== "size")) throw error;
      await feed.take(await this.server.statuses(epoch, 0), this.signers, this.now);
    }
  }
}

type Refusal = FeedRefused | EnvelopeRefused | TrustRefused;

function isRefusal(error: unknown): error is Refusal {
  return error instanceof FeedRefused || error instanceof EnvelopeRefused || error instanceof TrustRefused;
}

function ignoreRefusal(error: unknown): void {
  if (!isRefusal(error)) throw error;
}
