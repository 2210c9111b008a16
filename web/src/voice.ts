// The voice of a door: recorded prompts, served with the page and kept for offline; no browser voice, no cloud.

import { language, readData } from "./page.ts";

/** Addresses of the recordings by language and name. */
export type Recordings = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * The recordings of a prompt: what was found, then what to do (`refuse.test` is "test", "refuse"); those of the outcome
 * alone when the finding was not recorded; none when that is missing too, and the words stand on the card.
 */
export function partsOf(prompt: string, recorded: Readonly<Record<string, string>>): readonly string[] {
  if (recorded[prompt] !== undefined) return [prompt];
  const [outcome = "", ...rest] = prompt.split(".");
  for (const parts of [[rest.join("."), outcome], [outcome]]) {
    if (parts.every((part) => recorded[part] !== undefined)) return parts;
  }
  return [];
}

export class Voice {
  private readonly recorded = (readData<Recordings>("prompts") ?? {})[language] ?? {};
  private turn = 0;
  private playing: HTMLAudioElement | null = null;

  /** Plays the prompt; the newest one stops the one before. Resolves to whether it was heard. */
  async say(prompt: string): Promise<boolean> {
    const turn = (this.turn += 1);
    this.playing?.pause();
    const parts = partsOf(prompt, this.recorded);
    for (const part of parts) {
      if (turn !== this.turn || !(await this.play(this.recorded[part]!))) return false;
    }
    return parts.length > 0;
  }

  private play(address: string): Promise<boolean> {
    const audio = (this.playing = new Audio(address));
    return new Promise((resolve) => {
      audio.addEventListener("ended", () => resolve(true), { once: true });
      audio.addEventListener("pause", () => resolve(false), { once: true });
      audio.addEventListener("error", () => resolve(false), { once: true });
      // A browser that wants a touch first stays silent; the text says the same.
      audio.play().catch(() => resolve(false));
    });
  }

  /** Has the recordings kept for offline: a file that was once loaded is in the worker's store. */
  get addresses(): readonly string[] {
    return Object.values(this.recorded);
  }
}
