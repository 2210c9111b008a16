// The dialogs of a door: document, registration on paper or of minors, leaving, a report by hand.

import { Away, type Gateway, Refused, postOffice, readAnswer } from "./gateway.ts";
import { clockText, drawing, element, make, t } from "./page.ts";

export interface Identity {
  readonly name: string;
  readonly document: string;
}

/** What a report by hand is about; each is a requirement of the door's policy. */
export type ReportKind = "symptoms" | "temperature" | "declaration";

const dialog = (id: string) => element<HTMLDialogElement>(id);
const field = (id: string) => element<HTMLInputElement>(id);

function onSubmit(id: string, act: () => void): void {
  element(`${id}-form`).addEventListener("submit", (event) => {
    event.preventDefault();
    act();
  });
  element(`${id}-cancel`).addEventListener("click", () => dialog(id).close());
}

/** Shows or clears the fault of a field, in words, in place (ui.md 10). */
function fault(name: string, code: string | null): void {
  const line = element(`${name}-fault`);
  const input = field(`${name}-number`);
  line.hidden = code === null;
  element(`${name}-field`).classList.toggle("wrong", code !== null);
  input.toggleAttribute("aria-invalid", code !== null);
  if (code === null) {
    input.removeAttribute("aria-describedby");
    return;
  }
  line.replaceChildren(drawing("i-edit"), t(code));
  input.setAttribute("aria-describedby", line.id);
  input.focus();
}

/** The document of somebody without a phone: looked up by the office, which writes who looked. */
export class DocumentDialog {
  constructor(
    private readonly gateway: Gateway,
    private readonly venue: string,
    private readonly found: (subjectToken: string, identity: Identity) => void,
    private readonly away: (error: Away) => void,
  ) {
    onSubmit("document", () => void this.check());
  }

  open(): void {
    fault("document", null);
    field("document-number").value = "";
    dialog("document").showModal();
    field("document-number").focus();
  }

  private async check(): Promise<void> {
    const type = element<HTMLSelectElement>("document-type").value;
    try {
      const device = await this.gateway.device();
      const number = field("document-number").value.trim();
      const answer = await readAnswer<{ subject_token: string; identity: Identity }>(
        await postOffice("/checker/document/", { type, number, venue: this.venue, device }),
      );
      dialog("document").close();
      this.found(answer.subject_token, answer.identity);
    } catch (error) {
      if (error instanceof Away) {
        dialog("document").close();
        this.away(error);
      } else if (error instanceof Refused) {
        const codes: Record<number, string> = { 404: "checker.document_not_found", 429: "checker.document_too_many" };
        fault("document", codes[error.status] ?? "checker.document_wrong");
      } else throw error;
    }
  }
}

/**
 * Registration without a code: the number of the paper slip, on which the person wrote name and phone.
 * Nothing of what stands on the slip comes into this phone or the network; it works offline.
 */
export class PaperDialog {
  private minorsOnly = false;

  constructor(private readonly registered: (serial: string, minors: number) => void) {
    onSubmit("paper", () => this.save());
  }

  /** @param minorsOnly the person has a code: only those without one are added */
  open(minors: number, minorsOnly: boolean): void {
    this.minorsOnly = minorsOnly;
    fault("paper", null);
    field("paper-number").value = "";
    field("paper-minors").value = String(minors);
    element("paper-field").hidden = minorsOnly;
    dialog("paper").showModal();
    field(minorsOnly ? "paper-minors" : "paper-number").focus();
  }

  private save(): void {
    const serial = field("paper-number").value.trim();
    const minors = Math.min(9, Math.max(0, Math.trunc(Number(field("paper-minors").value) || 0)));
    if (!this.minorsOnly && !/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/.test(serial)) {
      fault("paper", "checker.paper_wrong");
      return;
    }
    dialog("paper").close();
    this.registered(this.minorsOnly ? "" : serial, minors);
  }
}

/** A report by hand: symptoms, a fever, a false declaration. The kind is chosen, nothing is typed of the person. */
export class ReportDialog {
  constructor(private readonly reported: (kind: ReportKind) => void) {
    onSubmit("report", () => {
      const chosen = document.querySelector<HTMLInputElement>("input[name=report-kind]:checked");
      dialog("report").close();
      this.reported((chosen?.value ?? "symptoms") as ReportKind);
    });
  }

  open(): void {
    dialog("report").showModal();
    document.querySelector<HTMLInputElement>("input[name=report-kind]:checked")?.focus();
  }
}

interface Arrival {
  readonly key: string;
  readonly check: string;
  readonly at: string;
  readonly answer: "green" | "yellow" | "red" | "unknown";
  readonly companions: number;
}

/** Who scanned this door's venue code just now: venue code or sentinel, and nobody is asked for both (field/01 1.2). */
export class ArrivalsDialog {
  constructor(private readonly gateway: Gateway, private readonly chosen: (subjectToken: string) => void) {
    onSubmit("arrivals", () => undefined);
  }

  async open(): Promise<void> {
    const list = element("arrivals-list");
    list.replaceChildren(make("p", "muted", t("checker.checking")));
    dialog("arrivals").showModal();
    try {
      const { arrivals } = await readAnswer<{ arrivals: Arrival[] }>(await postOffice("/checker/arrivals/", {}));
      if (arrivals.length === 0) list.replaceChildren(make("p", "", t("checker.arrivals_none")));
      else list.replaceChildren(...arrivals.map((one) => this.row(one)));
    } catch (error) {
      this.fault(error);
    }
  }

  private row(one: Arrival): HTMLElement {
    const more = one.companions > 0 ? [make("span", "small", t("checker.arrival_more", { n: one.companions }))] : [];
    const colour = make("span", `st st-${one.answer}`, drawing(`s-${one.answer}`), t(`pages.word.${one.answer}`));
    const row = make("button", "arrival", make("b", "", one.check), make("span", "grow", clockText(Date.parse(one.at))), ...more, colour);
    row.setAttribute("type", "button");
    row.addEventListener("click", () => void this.choose(one.key));
    return row;
  }

  private async choose(key: string): Promise<void> {
    try {
      const device = await this.gateway.device();
      const answer = await readAnswer<{ subject_token: string }>(await postOffice("/checker/arrival/", { key, device }));
      dialog("arrivals").close();
      this.chosen(answer.subject_token);
    } catch (error) {
      this.fault(error);
    }
  }

  private fault(error: unknown): void {
    if (!(error instanceof Away || error instanceof Refused)) throw error;
    const code = error instanceof Refused && error.status === 404 ? "checker.arrival_over" : "checker.arrivals_away";
    element("arrivals-list").replaceChildren(make("p", "", t(code)));
  }
}
