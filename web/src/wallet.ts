// The wallet of this phone: core/wallet.ts over the gateway, kept in IndexedDB with its seeds sealed.

import { type Bytes, fromHex } from "./core/bytes.ts";
import type { TrustedClock } from "./core/clock.ts";
import { type HeldCode, endMs, startMs } from "./core/show.ts";
import { type TrustList, openTrustList } from "./core/trust.ts";
import { CodeWallet, type IssueAnswer, IssueRefused, type WalletState, type WalletStorage } from "./core/wallet.ts";
import { Away, type Gateway, readAnswer, send } from "./gateway.ts";
import { type Codes, issueAnswer, issueError } from "./issue.ts";
import type { Status } from "./status.ts";
import { get, put } from "./storage.ts";

/** What the resident's page is told about keys. */
export interface TrustAnchor {
  readonly realm: string;
  /** Public keys, in hexadecimal, that may sign the trust list. */
  readonly roots: readonly string[];
}

interface SealedCode extends Omit<HeldCode, "seed"> {
  readonly iv: Bytes;
  readonly sealed: ArrayBuffer;
}
interface SealedState extends Omit<WalletState, "codes"> {
  readonly codes: readonly SealedCode[];
}

// A page opened again soon after keeps the code it has: hot codes are few.
const freshMs = 4 * 60_000;

export class Wallet {
  private readonly wallet: CodeWallet;
  private status: Status | null = null;
  private ended: number | null = null;
  private hurried = false;

  constructor(
    private readonly owner: string,
    private readonly gateway: Gateway,
    private readonly clock: TrustedClock,
    private readonly anchor: TrustAnchor,
  ) {
    this.wallet = new CodeWallet({
      storage: new SealedStorage(owner),
      clock,
      issue: (requests) => this.issue(requests),
      trust: () => this.trust(),
      realm: anchor.realm,
      random: (size) => crypto.getRandomValues(new Uint8Array(size)),
    });
  }

  async restore(): Promise<void> {
    await this.wallet.restore();
    this.ended = (await get<number>("wallet", `ended:${this.owner}`)) ?? null;
  }

  /** Returns the text to draw now and how long it lives, or null when no code is good now. */
  shown(): { text: string; kind: "hot" | "cold"; turnsInMs: number } | null {
    const shown = this.wallet.shown();
    if (!shown) return null;
    const last = Math.max(...this.wallet.held.map(endMs));
    if (last !== this.ended) {
      this.ended = last;
      void put("wallet", `ended:${this.owner}`, last);
    }
    return { text: shown.text, kind: shown.kind, turnsInMs: shown.turnsAtMs - this.clock.now() };
  }

  /** When the last code of this phone ends or ended, in server milliseconds. */
  get lastEnd(): number | null {
    return this.ended;
  }

  due(): boolean {
    const now = this.clock.now();
    const fresh = this.wallet.held.some((code) => code.kind === "hot" && now - startMs(code) < freshMs);
    return this.wallet.due() && (!fresh || this.hurried);
  }

  /** The status changed: a code of the former colour is replaced as soon as the server lets us. */
  hurry(): void {
    this.hurried = true;
    this.wallet.hurry();
  }

  /**
   * Asks for the codes that are missing; returns the status that came with them, if any came.
   *
   * Throws Away, or Refused when the answer is about the person.
   */
  async refresh(): Promise<Status | null> {
    this.status = null;
    this.hurried = false;
    try {
      await this.wallet.refresh();
    } catch (error) {
      // Too soon, or nothing missing: what is held is still good.
      if (!(error instanceof IssueRefused)) throw error;
    }
    return this.status;
  }

  private async issue(requests: readonly unknown[]): Promise<IssueAnswer> {
    try {
      const answer = await this.gateway.call<Codes>("POST", "/v1/codes", { requests });
      this.status = answer.status;
      return issueAnswer(answer);
    } catch (error) {
      throw issueError(error);
    }
  }

  /** The trust list of the server, or the last one while it is away; never an older one. */
  private async trust(): Promise<TrustList> {
    const name = `trust:${this.anchor.realm}`;
    const held = await get<{ document: string; sequence: number }>("device", name);
    const roots = this.anchor.roots.map(fromHex);
    try {
      const document = JSON.stringify(await readAnswer(await send("/v1/trust")));
      const list = await openTrustList(document, { realm: this.anchor.realm, roots, sequenceMin: held?.sequence ?? 0 });
      await put("device", name, { document, sequence: list.sequence });
      return list;
    } catch (error) {
      if (!(error instanceof Away) || !held) throw error;
      return openTrustList(held.document, { realm: this.anchor.realm, roots });
    }
  }
}

/** Seeds lie in IndexedDB under a key that script cannot read out: a copied disk shows no code. */
class SealedStorage implements WalletStorage {
  constructor(private readonly owner: string) {}

  async load(): Promise<WalletState | null> {
    const held = await get<SealedState>("wallet", `codes:${this.owner}`);
    if (!held) return null;
    const key = await this.key();
    const codes = await Promise.all(
      held.codes.map(async ({ iv, sealed, ...code }) => ({
        ...code,
        seed: new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, sealed)),
      })),
    );
    return { ...held, codes };
  }

  async save(state: WalletState): Promise<void> {
    const key = await this.key();
    const codes = await Promise.all(
      state.codes.map(async ({ seed, ...code }) => {
        const iv = crypto.getRandomValues(new Uint8Array(12));
        return { ...code, iv, sealed: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, seed) };
      }),
    );
    await put("wallet", `codes:${this.owner}`, { ...state, codes });
  }

  private async key(): Promise<CryptoKey> {
    const held = await get<CryptoKey>("device", `seal:${this.owner}`);
    if (held) return held;
    const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    await put("device", `seal:${this.owner}`, made);
    return made;
  }
}
