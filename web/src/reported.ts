// After a person was isolated or reported: whether the report is at the office, the incident's number, the next three steps.

import { type Gateway, Away, Refused, postOffice, readAnswer } from "./gateway.ts";
import { both, drawing, language, make, t, write } from "./page.ts";
import type { Two } from "./status.ts";

/** What the office says of the incident that a record opened. */
export interface IncidentAnswer {
  /** Null: the record is in the office, its incident is being opened. */
  readonly number: string | null;
  readonly steps: readonly Two[];
}

const askEveryMs = 1_500;
const askedMax = 40;

export class Reported {
  private key = "";
  private sent = false;
  private answer: IncidentAnswer | null = null;
  private box: HTMLElement | null = null;
  private timer = 0;

  constructor(private readonly gateway: Gateway) {}

  /** A report has just been kept on this phone. */
  wait(key: string): void {
    this.key = key;
    this.sent = false;
    this.answer = null;
  }

  /** Some records are durable at the server. */
  landed(keys: readonly string[]): void {
    if (!keys.includes(this.key)) return;
    this.sent = true;
    this.draw();
    void this.ask(this.key, askedMax);
  }

  /** Puts the state of the report under the card's head, with the one act that is left. */
  show(card: HTMLElement, done: () => void): void {
    this.box = make("div", "reported");
    this.box.setAttribute("role", "status");
    const label = make("span");
    write(label, both("checker.do_after_report"));
    const button = make("button", "btn btn-primary btn-lg", ...label.childNodes);
    button.setAttribute("type", "button");
    button.dataset["choice"] = "next";
    const openedAt = performance.now();
    button.addEventListener("click", () => {
      if (performance.now() - openedAt < 600) return;
      clearTimeout(this.timer);
      this.box = null;
      done();
    });
    const head = card.querySelector(".act");
    card.replaceChildren(...(head ? [head] : []), this.box, make("div", "do2 is-one", button));
    button.focus({ preventScroll: true });
    this.draw();
  }

  private draw(): void {
    if (!this.box) return;
    const line = make("p", "reason");
    const number = this.answer?.number;
    if (number) write(line, both("checker.reported_as", { number }), { block: true });
    else write(line, both(this.sent ? "checker.reported_sent" : "checker.reported_kept"), { block: true });
    const steps = this.answer?.steps.length ? this.answer.steps : [1, 2, 3].map((step) => both(`checker.report_step_${step}`));
    const list = make("ol", "report-steps", ...steps.map((step) => make("li", "", step[language])));
    this.box.replaceChildren(line, make("h2", "", drawing("i-arrow"), t("checker.report_next")), list);
  }

  /** Asks for the number until it is there: the office opens the incident a moment after it has the record. */
  private async ask(key: string, left: number): Promise<void> {
    if (key !== this.key || left === 0) return;
    try {
      const device = await this.gateway.device();
      this.answer = await readAnswer<IncidentAnswer>(await postOffice("/checker/incident/", { key, device }));
      this.draw();
    } catch (error) {
      if (!(error instanceof Away || error instanceof Refused)) throw error;
    }
    if (this.answer?.number) return;
    this.timer = window.setTimeout(() => void this.ask(key, left - 1), askEveryMs);
  }
}
