// The result card of a door: the act, the one reason, who it is, and one touch to record it.

import type { DoorRecord } from "./queue.ts";
import { type Outcome, type Answer as DoorAnswer } from "./outcome.ts";
import { both, clockText, drawing, language, make, separator, t, textIn, write } from "./page.ts";
import type { Two } from "./status.ts";

/** What the card shows; `answer` is "away" when nobody could be asked. */
export interface Shown {
  readonly answer: DoorAnswer;
  readonly reason: Two;
  readonly advice: Two | null;
  readonly testHours: number | null;
  readonly outcome: Outcome;
  readonly place: Two;
  readonly atMs: number;
  readonly hasIdentity: boolean;
}

export type Choice = DoorRecord["kind"] | "next" | "document";

const signs: Record<string, string> = { refuse: "i-stop", ask: "i-why", admit: "i-check", isolate: "i-stop" };
// A scanner's or a finger's second tap must not record what nobody has read yet.
const deafMs = 600;

/** Fills the card; `chosen` hears the one touch. */
export function fillCard(card: HTMLElement, shown: Shown, chosen: (choice: Choice) => void): void {
  card.replaceChildren(head(shown), reason(shown), details(shown), buttons(shown, chosen));
  card.scrollTop = 0;
  card.querySelector<HTMLElement>(".btn-primary")?.focus({ preventScroll: true });
}

/** Writes the second answer into the open card: the masked identity, or that it cannot be had. */
export function fillIdentity(card: HTMLElement, identity: { name: string; document: string } | null): void {
  const name = card.querySelector("#card-name");
  const document_ = card.querySelector("#card-document");
  if (!name || !document_) return;
  name.textContent = identity?.name ?? t("checker.name_away");
  document_.textContent = identity?.document ?? "–";
}

function head(shown: Shown): HTMLElement {
  const { act, field } = shown.outcome;
  const words = make("div", "", make("div", "do", t(`checker.outcome.${act}`)));
  const code = make("div", "code");
  code.append(...dotted(t(`checker.code.${shown.answer}`)));
  if (field === "ink") {
    words.append(chip("green"));
  } else if (language === "zh") words.append(code);
  const english = make("span", "en", textIn(`checker.outcome.${act}`, "en"));
  english.lang = "en";
  if (field !== "ink") english.append(separator(), textIn(`checker.code.${shown.answer}`, "en"));
  if (language === "zh") words.append(english);
  else if (field !== "ink") words.append(code);
  const sign = field === "ink" ? drawing(signs[act] ?? "i-why") : drawing(`s-${field}`);
  return make("div", field === "ink" ? "act act-ink" : `act on-status st-${field}`, sign, words);
}

function chip(colour: "green"): HTMLElement {
  return make("span", `st st-${colour}`, drawing(`s-${colour}`), t(`pages.word.${colour}`));
}

/** Returns a message with its plain dots as dots of one width. */
function dotted(text: string): (string | HTMLElement)[] {
  return text.split(" · ").flatMap((piece, i) => (i === 0 ? [piece] : [separator(), piece]));
}

function reason(shown: Shown): HTMLElement {
  const line = make("p", "reason");
  write(line, shown.reason, { block: true });
  return line;
}

function details(shown: Shown): HTMLElement {
  const list = make("dl", "kv");
  const add = (code: string, value: string | Node, id = "") => {
    const term = make("dt", "", t(code));
    const text = make("dd", "solid", value);
    if (id) text.id = id;
    list.append(term, text);
  };
  if (shown.hasIdentity) {
    const waiting = make("i", "bone");
    add("checker.name", waiting, "card-name");
    add("checker.document", waiting.cloneNode(), "card-document");
  } else add("checker.name", t("checker.name_unknown"));
  const coloured = ["green", "yellow", "red"].includes(shown.answer);
  const { testHours } = shown;
  if (!coloured) add("checker.test", t("checker.test_unknown"));
  else add("checker.test", testHours === null ? t("checker.test_none") : t("checker.test_age", { hours: testHours }));
  if (shown.advice && shown.advice[language] && shown.answer !== "green") add("checker.advice", shown.advice[language]);
  add("checker.place", make("span", "", ...dotted(shown.place[language])));
  add("checker.time", clockText(shown.atMs));
  return list;
}

function buttons(shown: Shown, chosen: (choice: Choice) => void): HTMLElement {
  const offered = choices(shown);
  const row = make("div", offered.length > 2 ? "do2 is-many" : "do2");
  const openedAt = performance.now();
  for (const { choice, code, icon, primary } of offered) {
    const label = make("span");
    write(label, both(code));
    label.firstChild?.replaceWith(make("span", "act-word", t(code)));
    const nodes: Node[] = [...label.childNodes];
    // Only the primary act carries its English line: the row stays one glance.
    const text = primary ? nodes : [document.createTextNode(t(code))];
    const button = make("button", primary ? "btn btn-primary btn-lg" : offered.length > 2 ? "btn" : "btn btn-lg", ...(icon ? [drawing(icon)] : []), ...text);
    button.setAttribute("type", "button");
    button.dataset["choice"] = choice;
    button.addEventListener("click", () => {
      if (performance.now() - openedAt >= deafMs) chosen(choice);
    });
    row.append(button);
  }
  return row;
}

interface Offer {
  readonly choice: Choice;
  readonly code: string;
  readonly icon?: string;
  readonly primary?: boolean;
}

function choices(shown: Shown): Offer[] {
  const report: Offer = { choice: "report", code: "checker.do_report", icon: "i-flag" };
  switch (shown.outcome.act) {
    case "admit":
      return [report, { choice: "admit", code: "checker.do_admit", primary: true }];
    case "refuse":
      return [report, { choice: "refuse", code: "checker.do_refuse", primary: true }];
    case "isolate":
      return [report, { choice: "isolate", code: "checker.do_isolate", icon: "i-hand", primary: true }];
    case "ask":
      return [
        shown.hasIdentity
          ? { choice: "ask", code: "checker.do_ask", primary: true }
          : { choice: "document", code: "checker.do_document", icon: "i-idcard", primary: true },
        { choice: "admit", code: "checker.do_admit_asked" },
        { choice: "refuse", code: "checker.do_refuse" },
        report,
        { choice: "next", code: "checker.do_next" },
      ];
  }
}
