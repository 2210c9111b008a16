// The door's side of places (twin of core/entry/places.py): who may come in up to a cap, without asking at that moment.
// A standing share is the door's own for ever; tickets are borrowed, good for one admission each until they expire by the
// door's monotonic clock, counted from when it asked. `now` is always that clock, in seconds.

export type HallState = "open" | "limited" | "closed";

export interface PlacesReport {
  readonly admitted: readonly string[];
  readonly own: readonly string[];
  readonly left: readonly string[];
  readonly unused: number;
  readonly standing: number;
  readonly fresh: boolean;
}
export interface PlacesAsk {
  readonly session: number;
  readonly request: number;
  readonly report: PlacesReport;
  readonly want: number;
  readonly due: number;
}
export interface PlacesReply {
  readonly request: number;
  readonly session: number;
  readonly granted: number;
  readonly granted_due: number;
  readonly expires_in: number;
  readonly standing: number;
  readonly inside: number;
  readonly cap: number;
  readonly state: HallState;
  readonly stay_seconds: number;
  readonly ended: readonly string[];
}

/** What a door must still know after its page was closed; tickets are not in it, for nobody knows how long it was. */
export interface PlacesKept {
  readonly standing: number;
  readonly state: HallState;
  readonly cap: number | null;
  readonly staySeconds: number;
  readonly request: number;
  readonly fresh: boolean;
  readonly own: readonly (readonly [lease: string, ageSeconds: number])[];
  readonly borrowed: readonly string[];
  readonly used: readonly string[];
  readonly taken: readonly string[];
  readonly left: readonly string[];
}

interface Ticket {
  readonly expiresAt: number;
  readonly due: boolean;
  count: number;
}
interface Asked {
  readonly at: number;
  readonly used: number;
  readonly taken: number;
  readonly left: ReadonlySet<string>;
}

export const ticketsMax = 100;
export const eventsMax = 400;
const stayUntilTold = 4 * 3600;
const leasesRemembered = 10_000;

export class DoorPlaces {
  standing = 0;
  state: HallState = "open";
  inside = 0;
  cap: number | null = null;
  session = 0;
  request = 0;
  fresh = true;
  private staySeconds = stayUntilTold;
  private own = new Map<string, number>();
  private borrowed = new Set<string>();
  private tickets: Ticket[] = [];
  private used: string[] = [];
  private taken: string[] = [];
  private left: string[] = [];
  private gone = new Set<string>();
  private asked: Asked | null = null;

  /** How many borrowed places are left. */
  get borrowedLeft(): number {
    return this.tickets.reduce((sum, ticket) => sum + ticket.count, 0);
  }

  /** How many more people this door may admit by itself now. */
  unused(now: number, due = false): number {
    this.expire(now);
    if (this.state === "closed") return 0;
    const tickets = this.tickets.filter((ticket) => due || !ticket.due).reduce((sum, ticket) => sum + ticket.count, 0);
    return Math.max(0, this.standing - this.own.size) + tickets;
  }

  /** Takes a place for each lease, or none at all when there are too few; again is the same. */
  take(leases: readonly string[], now: number, due = false): boolean {
    this.expire(now);
    const missing = leases.filter((lease) => !this.own.has(lease) && !this.borrowed.has(lease));
    if (missing.length > this.unused(now, due) || missing.some((lease) => this.gone.has(lease))) return false;
    for (const lease of missing) this.takeOne(lease, now, due);
    return true;
  }

  private takeOne(lease: string, now: number, due: boolean): void {
    const good = this.tickets.filter((ticket) => ticket.count > 0 && (due || !ticket.due));
    good.sort((one, other) => Number(other.due) - Number(one.due) || one.expiresAt - other.expiresAt);
    const ticket = good[0];
    if (ticket) {
      ticket.count -= 1;
      this.used.push(lease);
      remember(this.borrowed, lease);
    } else {
      this.own.set(lease, now);
      this.taken.push(lease);
    }
  }

  /** Somebody left through this door, whichever door admitted them. */
  giveBack(lease: string, now: number): void {
    this.expire(now);
    this.end(lease, false);
  }

  /** Drops tickets whose time is over, and ends stays that are longer than the plan allows. */
  expire(now: number): void {
    this.tickets = this.tickets.filter((ticket) => ticket.expiresAt > now && ticket.count > 0);
    for (const [lease, takenAt] of [...this.own]) {
      if (now - takenAt < this.staySeconds) break; // in the order in which they were taken
      this.end(lease, false);
    }
  }

  /** The next request; only the reply to the latest one is ever taken, so a lost or late one lends nothing. */
  ask(now: number, want = 0): PlacesAsk {
    this.expire(now);
    const later = new Set(this.taken.slice(eventsMax)); // a departure never goes before its arrival
    const report: PlacesReport = {
      admitted: [...this.used], own: this.taken.slice(0, eventsMax),
      left: this.left.filter((lease) => !later.has(lease)).slice(0, eventsMax),
      unused: this.borrowedLeft, standing: Math.max(this.standing, this.own.size), fresh: this.fresh,
    };
    this.request += 1;
    this.asked = { at: now, used: report.admitted.length, taken: report.own.length, left: new Set(report.left) };
    return {
      session: this.session, request: this.request, report, due: 0,
      want: Math.max(0, Math.min(want, ticketsMax - this.borrowedLeft)),
    };
  }

  /** The server refused the session: the next request asks for a new one. */
  stale(): void {
    this.session = 0;
    this.asked = null;
  }

  /** Takes the server's reply; returns whether it was to the latest request. A greeting's reply lends nothing. */
  granted(reply: PlacesReply, now: number): boolean {
    const asked = this.asked;
    if (!asked || reply.request !== this.request) return false;
    this.asked = null;
    this.inside = reply.inside;
    this.cap = reply.cap;
    if (this.session === 0) {
      this.session = reply.session;
      return true;
    }
    this.used = this.used.slice(asked.used);
    this.taken = this.taken.slice(asked.taken);
    this.left = this.left.filter((lease) => !asked.left.has(lease));
    this.fresh = false;
    this.standing = reply.standing;
    this.staySeconds = reply.stay_seconds;
    this.state = reply.state;
    const expiresAt = asked.at + reply.expires_in;
    this.tickets.push({ expiresAt, due: false, count: reply.granted }, { expiresAt, due: true, count: reply.granted_due });
    for (const lease of reply.ended) this.end(lease, true);
    if (this.state === "closed") this.close();
    this.expire(now);
    return true;
  }

  keep(now: number): PlacesKept {
    return {
      standing: this.standing, state: this.state, cap: this.cap, staySeconds: this.staySeconds, request: this.request, fresh: this.fresh,
      own: [...this.own].map(([lease, takenAt]) => [lease, now - takenAt] as const), borrowed: [...this.borrowed],
      used: this.used, taken: this.taken, left: this.left,
    };
  }

  /** Stays go on from the age they had, so a place is given back late rather than early. */
  static restore(kept: PlacesKept, now: number): DoorPlaces {
    const places = new DoorPlaces();
    places.standing = kept.standing;
    places.state = kept.state;
    places.cap = kept.cap;
    places.staySeconds = kept.staySeconds;
    places.request = kept.request;
    places.fresh = kept.fresh;
    places.own = new Map(kept.own.map(([lease, age]) => [lease, now - age]));
    places.borrowed = new Set(kept.borrowed);
    places.used = [...kept.used];
    places.taken = [...kept.taken];
    places.left = [...kept.left];
    places.gone = new Set(kept.left);
    return places;
  }

  /** Ends a lease and tells the server; `again`: also when it was told before. */
  private end(lease: string, again: boolean): void {
    this.own.delete(lease);
    this.borrowed.delete(lease);
    if ((again || !this.gone.has(lease)) && !this.left.includes(lease)) this.left.push(lease);
    remember(this.gone, lease);
  }

  private close(): void {
    this.tickets = [];
    for (const lease of [...this.own.keys(), ...this.borrowed]) this.end(lease, false);
  }
}

function remember(leases: Set<string>, lease: string): void {
  leases.add(lease);
  if (leases.size > leasesRemembered) leases.delete(leases.values().next().value!);
}

/** A lease for each of `people` who enter under one scan: the visit's own, then UUID v5 of it (RFC 9562 5.5). */
export async function groupLeases(lease: string, people: number): Promise<string[]> {
  const space = Uint8Array.from(lease.replaceAll("-", "").match(/../g)!, (pair) => Number.parseInt(pair, 16));
  const leases = [lease];
  for (let n = 1; n < people; n += 1) {
    const name = new TextEncoder().encode(`companion ${n}`);
    const joined = new Uint8Array([...space, ...name]);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-1", joined)).slice(0, 16);
    hash[6] = (hash[6]! & 0x0f) | 0x50;
    hash[8] = (hash[8]! & 0x3f) | 0x80;
    const hex = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
    leases.push([hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-"));
  }
  return leases;
}
