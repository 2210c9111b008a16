// The gateway over HTTP: a grant bound to a key of this device (RFC 9449), renewed when it ends.

import { base64url } from "./base64url.ts";
import { fromBase64url } from "./core/bytes.ts";
import type { TrustedClock } from "./core/clock.ts";
import { Away, Refused } from "./refusal.ts";
import { get, put, remove } from "./storage.ts";

export { Away, Refused };

interface Grant {
  readonly grant: string;
  readonly expiresMs: number;
}

const patience = 8_000;
const renewBefore = 10 * 60_000;

/** Sends a request and gives up after 8 s. */
export async function send(path: string, options: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(path, { ...options, signal: AbortSignal.timeout(patience), cache: "no-store" });
  } catch (error) {
    throw new Away(String(error));
  }
}

/** Posts JSON to the office: the session's cookie says who, the token that it was our page. */
export function postOffice(path: string, body: unknown): Promise<Response> {
  const token = document.querySelector<HTMLMetaElement>("meta[name=csrf]")?.content ?? "";
  const cookie = /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1];
  return send(path, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", "X-CSRFToken": cookie ?? token },
    body: JSON.stringify(body),
  });
}

/** Reads an answer: its JSON, or the refusal it is. A server that failed is away, not a refusal. */
export async function readAnswer<T>(response: Response): Promise<T> {
  const body = (await response.json().catch(() => null)) as
    | (T & { error?: string; message?: { zh: string; en: string }; now_ms?: number; latest_end_ms?: number })
    | null;
  if (response.ok && body !== null) return body;
  if (response.status >= 500 || body === null) throw new Away(`${response.status} ${body?.error ?? ""}`);
  throw new Refused(response.status, body.error ?? "", body.message ?? null, body.now_ms ?? null, body.latest_end_ms);
}

/** This device at the gateway, as a resident or as a checker. */
export class Gateway {
  private renewal: Promise<string> | null = null;

  /**
   * @param owner whose device this is: another user of the same browser gets another key
   * @param grantPath where the office signs grants
   * @param clock put right by every answer that says the server's time
   */
  constructor(
    private readonly owner: string,
    private readonly grantPath: string,
    private readonly clock: TrustedClock,
  ) {}

  async call<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<T> {
    try {
      return await this.once<T>(method, path, body, await this.grant());
    } catch (error) {
      if (!(error instanceof Refused && error.status === 401)) throw error;
      // A proof made by a wrong clock, now put right; else a grant that was revoked or whose key turned.
      const grant = error.code === "proof-time" ? await this.grant() : await this.renew();
      return await this.once<T>(method, path, body, grant);
    }
  }

  /** The handle by which office and gateway know this device: the subject of its grant. */
  async device(): Promise<string> {
    const payload = (await this.grant()).split(".")[1] ?? "";
    const claims = JSON.parse(new TextDecoder().decode(fromBase64url(payload))) as { sub: string };
    return claims.sub;
  }

  private async once<T>(method: string, path: string, body: unknown, grant: string): Promise<T> {
    const response = await send(path, {
      method,
      headers: {
        Authorization: `DPoP ${grant}`,
        DPoP: await this.proof(method, path, grant),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    try {
      const answer = await readAnswer<T & { now_ms?: number }>(response);
      if (answer.now_ms !== undefined) this.clock.exchange(answer.now_ms);
      return answer;
    } catch (error) {
      if (error instanceof Refused && error.nowMs !== null) this.clock.exchange(error.nowMs);
      throw error;
    }
  }

  private async grant(): Promise<string> {
    const held = await get<Grant>("device", `grant:${this.owner}`);
    if (held && held.expiresMs - this.clock.now() > renewBefore) return held.grant;
    try {
      return await this.renew();
    } catch (error) {
      if (error instanceof Away && held && held.expiresMs > this.clock.now()) return held.grant;
      throw error;
    }
  }

  private renew(): Promise<string> {
    this.renewal ??= this.fetchGrant().finally(() => {
      this.renewal = null;
    });
    return this.renewal;
  }

  private async fetchGrant(): Promise<string> {
    const { publicKey } = await this.key();
    const jwk = await crypto.subtle.exportKey("jwk", publicKey);
    const response = await postOffice(this.grantPath, { jwk: publicJwk(jwk) });
    if (response.redirected) throw new Refused(401, "login", null, null);
    const made = await readAnswer<{ grant: string; expires_at: string; new_devices?: string[] }>(response);
    await this.noteDevices(made.new_devices ?? []);
    await put("device", `grant:${this.owner}`, { grant: made.grant, expiresMs: Date.parse(made.expires_at) });
    return made.grant;
  }

  /** When other devices were added to this account, until their owner has answered for them. */
  async newDevices(): Promise<readonly string[]> {
    return (await get<string[]>("device", `added:${this.owner}`)) ?? [];
  }

  /** The owner has seen them. */
  async knowDevices(): Promise<void> {
    await remove("device", `added:${this.owner}`);
  }

  /** The server tells each once: it is kept here, so that a page closed too soon loses nothing. */
  private async noteDevices(added: readonly string[]): Promise<void> {
    if (added.length > 0) await put("device", `added:${this.owner}`, [...(await this.newDevices()), ...added]);
  }

  /** The device's key pair; the private half cannot leave the browser. */
  private async key(): Promise<CryptoKeyPair> {
    const held = await get<CryptoKeyPair>("device", `key:${this.owner}`);
    if (held) return held;
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
    await put("device", `key:${this.owner}`, pair);
    return pair;
  }

  private async proof(method: string, path: string, grant: string): Promise<string> {
    const { privateKey, publicKey } = await this.key();
    const encode = (value: unknown) => base64url(new TextEncoder().encode(JSON.stringify(value)));
    const header = { typ: "dpop+jwt", alg: "ES256", jwk: publicJwk(await crypto.subtle.exportKey("jwk", publicKey)) };
    const payload = {
      jti: crypto.randomUUID(),
      htm: method,
      htu: `${location.origin}${path.replace(/\?.*$/, "")}`, // RFC 9449 4.2: without the query
      iat: Math.floor(this.clock.now() / 1000),
      ath: base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(grant))),
    };
    const input = `${encode(header)}.${encode(payload)}`;
    const signature = await crypto.subtle.sign(
      { name: "ECDSA", hash: "SHA-256" }, privateKey, new TextEncoder().encode(input),
    );
    return `${input}.${base64url(signature)}`;
  }
}

function publicJwk(jwk: JsonWebKey): Record<string, string | undefined> {
  return { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y };
}
