// The wallet: a fresh (hot) code while online, (cold) codes in reserve for days without network (PL1 3, 4).

import { type Bytes, equal, toHex } from "./bytes.ts";
import type { TrustedClock } from "./clock.ts";
import { epochOf, epochStart, minutesOf, overlapMinutes } from "./epochs.ts";
import { bodyLength, codeKind, coldLifetimeMax, decodeBody, signedLength } from "./layout.ts";
import { type HeldCode, Presenter, type Shown, chainOf, endMs, slotAt, startMs } from "./show.ts";
import { codeContext, isSigned, signatureInput } from "./signing.ts";
import type { TrustList } from "./trust.ts";

/** What the wallet keeps between two runs of the page; the storage seals the seeds. */
export interface WalletState {
  readonly codes: readonly HeldCode[];
  /** The newest epoch whose code was shown after a refresh: there is no way back. */
  readonly epochMin: number;
  readonly clockOffsetMs: number;
}

export interface WalletStorage {
  load(): Promise<WalletState | null>;
  save(state: WalletState): Promise<void>;
}

export interface CodeRequest {
  readonly start: number;
  readonly lifetime: number;
  readonly slot_code: number;
  readonly anchor: string;
}

/** Why one request was refused; `latestEndMs` where a shorter code would be given. */
export interface Refusal {
  readonly code: string;
  readonly latestEndMs?: number | null;
}

/** What the server gives: bytes 0…97 of each code, in any order, and what it refused. */
export interface IssueAnswer {
  readonly nowMs: number;
  readonly bodies: readonly Bytes[];
  readonly refused?: readonly Refusal[];
}

/** The server refused all and told its time: a start outside its range is made anew (PL1 3.2). */
export class IssueRefused extends Error {
  constructor(readonly code: string, readonly nowMs: number | null, readonly latestEndMs: number | null = null) {
    super(code);
  }
}

export interface WalletParts {
  readonly storage: WalletStorage;
  readonly clock: TrustedClock;
  /** Asks the server; throws IssueRefused when it answers no, anything else when it is away. */
  readonly issue: (requests: readonly CodeRequest[]) => Promise<IssueAnswer>;
  readonly trust: () => Promise<TrustList>;
  readonly realm: string;
  /** Unpredictable bytes of the platform, never Math.random. */
  readonly random: (size: number) => Bytes;
  readonly slotCode?: number;
}

const requestsMax = 4;
const epochsAhead = 3;
const hotMs = { from: 4 * 60_000, to: 8 * 60_000 };
const retryMs = { from: 20_000, to: 40_000 };
const attemptsMax = 3;
/** A wrong clock costs one more round trip; less than this is no wrong clock. */
const clockErrorMs = 10_000;

export class CodeWallet {
  private codes: HeldCode[] = [];
  private epochMin = Number.NEGATIVE_INFINITY;
  private refreshAt = 0;
  /** No code may outlive the person's next change to a worse colour; learnt from a refusal. */
  private latestEndMs = Number.POSITIVE_INFINITY;
  private readonly presenter = new Presenter();

  constructor(private readonly parts: WalletParts) {}

  /** Takes back what was kept; codes that ended meanwhile are erased. */
  async restore(): Promise<void> {
    const state = await this.parts.storage.load();
    if (state) {
      this.parts.clock.restore(state.clockOffsetMs);
      this.codes = [...state.codes];
      this.epochMin = state.epochMin;
    }
    await this.eraseEnded();
    this.planRefresh();
  }

  /** Returns what to show now, or null when no code is valid: then there is nothing to draw. */
  shown(): Shown | null {
    const now = this.parts.clock.now();
    const code = this.preferred(now);
    return code ? this.presenter.show(code, now) : null;
  }

  /** Returns whether the server should be asked now. */
  due(): boolean {
    return this.parts.clock.now() >= this.refreshAt;
  }

  /** Asks soon, e.g. when the network is back; the jitter of a refresh does not apply to it. */
  hurry(): void {
    this.refreshAt = Math.min(this.refreshAt, this.parts.clock.now());
  }

  /** The codes held, for a page that says how far they reach. */
  get held(): readonly HeldCode[] {
    return this.codes;
  }

  /**
   * Asks for a hot code and whatever cold ones are missing.
   *
   * A refusal is answered by asking for what can be had: with the server's time after a start
   * out of range, for shorter codes before a change of colour, for cold ones alone while the
   * server's own knowledge is old. Throws IssueRefused when nothing was given at all.
   */
  async refresh(): Promise<void> {
    this.refreshAt = this.parts.clock.now() + this.between(retryMs);
    this.latestEndMs = Number.POSITIVE_INFINITY;
    await this.eraseEnded();
    let hot = true;
    let given = 0;
    for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
      const outcome = await this.ask({ hot });
      given += outcome.codes.length;
      hot &&= !outcome.codes.some((code) => code.kind === "hot");
      const next: { hot: boolean } | null = outcome.refused && this.adjust(outcome, hot);
      if (!next) {
        if (given === 0) throw outcome.refused ?? new IssueRefused("nothing-given", null);
        break;
      }
      hot = next.hot;
    }
    this.planRefresh();
  }

  /** Sends one request; a refusal of all and a refusal of some come back alike. */
  private async ask(options: { hot: boolean }): Promise<Outcome> {
    const trust = await this.parts.trust();
    const drafts = this.drafts(options, this.offset(trust));
    if (drafts.length === 0) return { codes: [], refused: null, wrongClock: false };
    let answer: IssueAnswer;
    try {
      answer = await this.parts.issue(drafts.map(requestOf));
    } catch (error) {
      if (!(error instanceof IssueRefused)) throw error;
      return { codes: [], refused: error, wrongClock: this.takeTime(error.nowMs) };
    }
    const wrongClock = this.takeTime(answer.nowMs);
    const codes = (await Promise.all(answer.bodies.map((signed) => this.accepted(signed, drafts, trust)))).filter(
      (code) => code !== null,
    );
    this.codes.push(...codes);
    this.turnEpoch();
    await this.save();
    const ends = (answer.refused ?? []).flatMap((refusal) => refusal.latestEndMs ?? []);
    const first = answer.refused?.[0];
    const refused = first ? new IssueRefused(first.code, answer.nowMs, ends.length ? Math.min(...ends) : null) : null;
    return { codes, refused, wrongClock };
  }

  /** Returns how to ask again after a refusal, or null when asking again would not help. */
  private adjust(outcome: Outcome, hot: boolean): { hot: boolean } | null {
    const { refused, wrongClock, codes } = outcome;
    if (refused?.latestEndMs != null && refused.latestEndMs < this.latestEndMs) {
      this.latestEndMs = refused.latestEndMs;
      return { hot };
    }
    if (wrongClock) return { hot };
    return hot && codes.length === 0 ? { hot: false } : null;
  }

  /** Refreshes at a random 4–8 min of the hot code's age, and when it ends before that. */
  private planRefresh(): void {
    const hot = this.codes.filter((code) => code.kind === "hot").sort((a, b) => b.start - a.start)[0];
    if (hot) this.refreshAt = Math.min(startMs(hot) + this.between(hotMs), endMs(hot));
  }

  private offset(trust: TrustList): number {
    const offset = trust.offsets.get(this.parts.realm);
    if (offset === undefined) throw new Error(`the trust list does not know realm ${this.parts.realm}`);
    return offset;
  }

  /** Returns the codes to ask for: one hot, and one cold for each epoch in reach that has none. */
  private drafts(options: { hot: boolean }, offset: number): Draft[] {
    const now = minutesOf(this.parts.clock.now() / 1000);
    const epoch = epochOf(now, offset);
    const drafts: Draft[] = [];
    const hotLifetime = this.hotLifetime(now);
    if (options.hot && hotLifetime !== null) drafts.push(this.draft(now, hotLifetime, epoch));
    for (let ahead = 0; ahead <= epochsAhead && drafts.length < requestsMax; ahead += 1) {
      if (this.codes.some((code) => code.kind === "cold" && code.epoch === epoch + ahead)) continue;
      // Drawn anew for each day, 04:00–05:30, so that a start is no mark of this phone.
      const start = ahead === 0 ? now : epochStart(epoch + ahead, offset) + Math.floor(this.fraction() * 91);
      const latest = epochStart(epoch + ahead + 1, offset) + overlapMinutes;
      const quarters = Math.floor(Math.min(latest - start, this.minutesLeft(start)) / 15);
      if (quarters > 0) drafts.push(this.draft(start, quarters, epoch + ahead));
    }
    return drafts;
  }

  /** Returns the lifetime of a hot code: ten minutes, or the whole minutes before a change; null for none. */
  private hotLifetime(start: number): number | null {
    const left = Math.floor(this.minutesLeft(start));
    if (left >= 10) return 0;
    return left >= 1 ? coldLifetimeMax + left : null;
  }

  private minutesLeft(start: number): number {
    return (this.latestEndMs - startMs({ start })) / 60_000;
  }

  private draft(start: number, lifetime: number, epoch: number): Draft {
    const seed = this.parts.random(16);
    const code = { seed, start, lifetime, slotCode: this.parts.slotCode ?? 1 };
    return { ...code, epoch, anchor: chainOf(code)[0]! };
  }

  /** Returns the code when it is what was asked for and the issuer signed it (PL1 3.7), else null. */
  private async accepted(signed: Bytes, drafts: readonly Draft[], trust: TrustList): Promise<HeldCode | null> {
    if (signed.length !== signedLength) return null;
    const raw = signed.slice(0, bodyLength);
    const body = decodeBody(raw, "phone");
    const draft = drafts.find((made) => equal(made.anchor, body.middle));
    const key = trust.keys.get(toHex(body.kid));
    if (!draft || !key || key.purpose !== "phone" || key.realm !== this.parts.realm) return null;
    const asAsked =
      body.start === draft.start && body.lifetime === draft.lifetime && body.slotCode === draft.slotCode;
    const input = signatureInput(body.kid, codeContext(key.purpose, key.realm), raw);
    if (!asAsked || !(await isSigned(input, signed.slice(bodyLength), key.publicKey))) return null;
    const kind = codeKind(body) === "cold" ? "cold" : "hot";
    const { seed, start, lifetime, slotCode, epoch } = draft;
    return { signed: signed.slice(), seed, start, lifetime, slotCode, epoch, kind };
  }

  private usable(now: number): HeldCode[] {
    return this.codes.filter((code) => code.epoch >= this.epochMin && slotAt(code, now) !== null);
  }

  /** Prefers the newest hot code, then the cold one of the oldest epoch that there is no turning from. */
  private preferred(now: number): HeldCode | null {
    const usable = this.usable(now);
    const hot = usable.filter((code) => code.kind === "hot").sort((a, b) => b.start - a.start);
    const cold = usable.filter((code) => code.kind === "cold").sort((a, b) => a.epoch - b.epoch || b.start - a.start);
    return hot[0] ?? cold[0] ?? null;
  }

  /** In the overlap a refresh turns to the newest epoch that can be shown, and never back (PL1 4.3). */
  private turnEpoch(): void {
    const epochs = this.usable(this.parts.clock.now()).map((code) => code.epoch);
    this.epochMin = Math.max(this.epochMin, ...epochs);
  }

  /** Puts the clock right; returns whether it was wrong. */
  private takeTime(serverMs: number | null): boolean {
    if (serverMs === null) return false;
    const wrong = Math.abs(this.parts.clock.now() - serverMs) > clockErrorMs;
    this.parts.clock.exchange(serverMs);
    return wrong;
  }

  private async eraseEnded(): Promise<void> {
    const now = this.parts.clock.now();
    const kept = this.codes.filter((code) => endMs(code) > now);
    if (kept.length === this.codes.length) return;
    this.codes = kept;
    this.presenter.forget();
    await this.save();
  }

  private save(): Promise<void> {
    const clockOffsetMs = this.parts.clock.offset;
    return this.parts.storage.save({ codes: this.codes, epochMin: this.epochMin, clockOffsetMs });
  }

  private between(range: { from: number; to: number }): number {
    return range.from + this.fraction() * (range.to - range.from);
  }

  /** Returns a number in [0, 1) from the platform's generator. */
  private fraction(): number {
    return new DataView(this.parts.random(4).buffer).getUint32(0) / 2 ** 32;
  }
}

function requestOf(draft: Draft): CodeRequest {
  return { start: draft.start, lifetime: draft.lifetime, slot_code: draft.slotCode, anchor: toHex(draft.anchor) };
}

interface Outcome {
  readonly codes: readonly HeldCode[];
  readonly refused: IssueRefused | null;
  readonly wrongClock: boolean;
}

interface Draft {
  readonly seed: Bytes;
  readonly start: number;
  readonly lifetime: number;
  readonly slotCode: number;
  readonly epoch: number;
  readonly anchor: Bytes;
}
