// The tools under the camera: what a person without a phone shows, leaving, coming together, an emergency.

import { both, element, make, write } from "./page.ts";
import { readFile, type Scanner } from "./scan.ts";
import { forgetPage } from "./strip.ts";

export interface ToolsHeard {
  readonly document: () => void;
  readonly paper: () => void;
  readonly arrivals: () => void;
  readonly report: () => void;
  readonly emergency: () => void;
  readonly exitWithoutCode: () => void;
  readonly scanned: (text: string) => void;
  /** Sends what waits before the session ends; resolves to how many still wait. */
  readonly leaving: () => Promise<number>;
}

/** What the next scan is: an entry, an exit, or one more of a party. */
export class Modes {
  exit = false;
  together = false;

  constructor(private readonly members: () => number, private readonly changed: () => void) {
    this.toggle("tool-exit", () => (this.exit = !this.exit));
    this.toggle("tool-party", () => (this.together = !this.together));
  }

  /** Says under the camera what the next scan will be. */
  show(): void {
    element("tool-exit").setAttribute("aria-pressed", String(this.exit));
    element("tool-party").setAttribute("aria-pressed", String(this.together));
    element("exit-none").hidden = !this.exit;
    const note = element("cam-note");
    if (this.exit) write(note, both("checker.leaving"), { block: true });
    else if (this.together) write(note, both("checker.together", { n: this.members() }), { block: true });
    else note.replaceChildren();
  }

  private toggle(id: string, act: () => void): void {
    element(id).addEventListener("click", () => {
      act();
      this.changed();
      this.show();
    });
  }
}

export function wireTools(heard: ToolsHeard, scanner: Scanner, wasm: string): void {
  const click = (id: string, act: () => void) => element(id).addEventListener("click", act);
  click("tool-document", heard.document);
  click("tool-paper", heard.paper);
  click("tool-arrivals", heard.arrivals);
  click("tool-report", heard.report);
  click("tool-emergency", heard.emergency);
  click("exit-none", heard.exitWithoutCode);
  element<HTMLInputElement>("tool-photo").addEventListener("change", (event) => {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    if (!file) return;
    void readFile(file, wasm).then((text) => {
      input.value = "";
      if (text) heard.scanned(text);
      else write(element("cam-note"), both("checker.photo_none"));
    });
  });
  let lit = false;
  click("tool-torch", () => {
    lit = !lit;
    element("tool-torch").setAttribute("aria-pressed", String(lit));
    void scanner.torch(lit);
  });
  const logout = element<HTMLFormElement>("logout");
  let warned = false;
  logout.addEventListener("submit", (event) => {
    event.preventDefault();
    void heard.leaving().then(async (waiting) => {
      if (waiting > 0 && !warned) {
        warned = true;
        element("toasts").replaceChildren(make("div", "toast", both("checker.logout_waiting", { n: waiting })[document.documentElement.lang === "en" ? "en" : "zh"]));
        return;
      }
      await forgetPage("/checker/");
      logout.submit();
    });
  });
}

/** Starts the camera; without one the page says why, and goes on with scanner, picture and document. */
export async function startCamera(scanner: Scanner): Promise<void> {
  const fault = await scanner.start();
  if (fault) {
    element("cam").classList.add("is-blind");
    write(element("cam-note"), both(`checker.camera.${fault}`), { block: true });
  }
  element("tool-torch").hidden = !scanner.hasTorch;
}
