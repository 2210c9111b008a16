// The voice of a door: recorded prompts, served with the page and kept for offline; no browser voice, no cloud.

import { language, readData } from "./page.ts";

/** Addresses of the recordings by language and prompt; a prompt without one is silent, its words stand on the card. */
type Recordings = Readonly<Record<string, Readonly<Record<string, string>>>>;

export class Voice {
  private readonly recordings = readData<Recordings>("prompts") ?? {};
  private playing: HTMLAudioElement | null = null;

  /** Whether anything was recorded for this prompt in this page's language. */
  has(prompt: string): boolean {
    return this.recordings[language]?.[prompt] !== undefined;
  }

  /** Plays the prompt; the newest one stops the one before. Resolves to whether it began. */
  async say(prompt: string): Promise<boolean> {
    this.playing?.pause();
    const address = this.recordings[language]?.[prompt];
    if (!address) return false;
    this.playing = new Audio(address);
    // A browser that wants a touch first stays silent; the text says the same.
    return this.playing.play().then(() => true, () => false);
  }
}
