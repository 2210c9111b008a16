// A keyboard scanner types its code: framed by `PL1:` and Enter, in any field or none.

const start = "PL1:";
const longest = 178;
// Bluetooth scanners pause inside a code; a code that stops for longer than this is abandoned.
const silenceMs = 3_000;

/** Collects what a scanner types; every method is told the time, so that tests need no waiting. */
export class Wedge {
  private typed = "";
  private last = 0;

  constructor(private readonly found: (text: string) => void) {}

  /** Whether a code is being typed right now. */
  get active(): boolean {
    return this.typed.length >= start.length;
  }

  /**
   * Takes one key; returns whether the key belongs to a code, so that it must do nothing else.
   * Spaces are part of a code and are never collapsed.
   */
  key(key: string, nowMs: number): boolean {
    if (nowMs - this.last > silenceMs) this.typed = "";
    this.last = nowMs;
    if (key === "Enter") {
      const text = this.typed;
      const complete = this.active;
      this.typed = "";
      if (complete) this.found(text);
      return complete;
    }
    if (key.length !== 1) return false;
    const next = this.typed + key;
    if (next.length <= start.length ? start.startsWith(next) : this.active) {
      this.typed = next.slice(0, longest + 1); // one too many, so that the verifier refuses it
      return this.active;
    }
    this.typed = key === start[0] ? key : "";
    return false;
  }
}

/** Listens to the whole page. */
export function listen(found: (text: string) => void): void {
  const wedge = new Wedge(found);
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (wedge.key(event.key, performance.now())) {
        event.preventDefault();
        event.stopPropagation();
      }
    },
    { capture: true },
  );
}
