// The result card of a door: the act, the one reason, the words to say, who it is, and one blue button.

import type { Verdict } from "./core/verdict.ts";
import type { DoorAnswer } from "./core/verify.ts";
import type { Field, Kind, Primary } from "./flow.ts";
import { both, clockText, drawing, language, make, separator, t, textIn, write } from "./page.ts";
import type { Two } from "./status.ts";

/** What the card shows; everything on it is decided elsewhere. */
export interface Shown {
  readonly answer: DoorAnswer | "away";
  readonly outcome: Verdict["outcome"];
  readonly field: Field;
  readonly reason: Two;
  /** What the guard says aloud; null when nothing is to be said. */
  readonly say: Two | null;
  readonly advice: Two | null;
  readonly testHours: number | null;
  readonly role: string;
  readonly roleFixed: boolean;
  readonly place: Two;
  readonly atMs: number;
  /** Set when this phone decided alone: as of when its list is. */
  readonly offlineAsOf: string | null;
  readonly hasIdentity: boolean;
  readonly emergency: boolean;
  readonly primary: Primary | "next" | "document";
  readonly others: readonly Choice[];
  readonly musts: HTMLElement;
  /** A panel of the musts is open: its own button is the one to press. */
  readonly panelOpen?: boolean;
}

export type Choice = Kind | Primary | "document" | "next" | "seen";

const signs: Record<string, string> = { refuse: "i-stop", ask: "i-why", admit: "i-check", isolate: "i-stop" };
const icons: Partial<Record<Choice, string>> = {
  isolate: "i-hand", document: "i-idcard", mask: "i-mask", temperature: "i-thermo", questions: "i-check", seen: "i-eye", report: "i-flag", queue: "i-pause",
};
// A scanner's or a finger's second tap must not record what nobody has read yet.
const deafMs = 600;

export interface Heard {
  readonly chosen: (choice: Choice) => void;
  readonly claimed: (role: string) => void;
}

/** Fills the card; what stood in it of the person stays, when `again` says it is the same. */
export function fillCard(card: HTMLElement, shown: Shown, heard: Heard, again = false): void {
  const known = again ? ["#card-name", "#card-document"].map((id) => card.querySelector(id)?.cloneNode(true) ?? null) : [];
  const typed = again ? [...card.querySelectorAll<HTMLInputElement>("input[id]")] : [];
  const focused = again ? (document.activeElement?.id ?? "") : "";
  const top = again ? card.scrollTop : 0;
  const rest = shown.panelOpen ? [] : [details(shown, heard), buttons(shown, heard)];
  card.replaceChildren(head(shown), reason(shown), shown.musts, ...rest);
  for (const kept of known) {
    if (kept instanceof HTMLElement) card.querySelector(`#${kept.id}`)?.replaceWith(kept);
  }
  // What is being typed stays, whatever comes in late.
  for (const { id, value } of typed) {
    const same = card.querySelector<HTMLInputElement>(`#${id}`);
    if (same) same.value = value;
  }
  card.scrollTop = top;
  const held = focused ? card.querySelector<HTMLElement>(`#${focused}`) : null;
  (held ?? card.querySelector<HTMLElement>(".do2 .btn-primary"))?.focus({ preventScroll: true });
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
  const { outcome, field, answer } = shown;
  const words = make("div", "", make("div", "do", t(`checker.outcome.${outcome}`)));
  const code = make("div", "code");
  code.append(...dotted(t(`checker.code.${answer}`)));
  const coloured = answer === "green" || answer === "yellow" || answer === "red";
  if (field === "ink") words.append(coloured ? chip(answer) : chip("unknown"));
  else if (language === "zh") words.append(code);
  const english = make("span", "en", textIn(`checker.outcome.${outcome}`, "en"));
  english.lang = "en";
  if (field !== "ink") english.append(separator(), textIn(`checker.code.${answer}`, "en"));
  if (language === "zh") words.append(english);
  else if (field !== "ink") words.append(code);
  const sign = field === "ink" ? drawing(signs[outcome] ?? "i-why") : drawing(`s-${field}`);
  return make("div", field === "ink" ? "act act-ink" : `act on-status st-${field}`, sign, words);
}

function chip(colour: "green" | "yellow" | "red" | "unknown"): HTMLElement {
  return make("span", `st st-${colour}`, drawing(`s-${colour}`), t(`pages.word.${colour}`));
}

/** Returns a message with its plain dots as dots of one width. */
export function dotted(text: string): (string | HTMLElement)[] {
  return text.split(" · ").flatMap((piece, i) => (i === 0 ? [piece] : [separator(), piece]));
}

function reason(shown: Shown): HTMLElement {
  const line = make("p", "reason");
  write(line, shown.reason, { block: true });
  const box = make("div", "because-of", line);
  if (shown.say) {
    const quoted = { zh: `“${shown.say.zh}”`, en: `"${shown.say.en}"` };
    const words = make("p", "to-say", drawing("i-sound"));
    const text = make("span");
    write(text, quoted, { block: true });
    words.append(text);
    box.append(words);
  }
  return box;
}

function details(shown: Shown, heard: Heard): HTMLElement {
  const list = make("dl", "kv");
  const add = (code: string, value: string | Node, id = "") => {
    const text = make("dd", "solid", value);
    if (id) text.id = id;
    list.append(make("dt", "", t(code)), text);
  };
  if (shown.hasIdentity) {
    const waiting = make("i", "bone");
    add("checker.name", waiting, "card-name");
    add("checker.document", waiting.cloneNode(), "card-document");
  } else add("checker.name", t("checker.name_unknown"));
  add("checker.role", shown.roleFixed ? t(`checker.role.${shown.role}`) : roleChoice(shown.role, heard));
  const coloured = ["green", "yellow", "red"].includes(shown.answer);
  const { testHours } = shown;
  if (!coloured) add("checker.test", t("checker.test_unknown"));
  else add("checker.test", testHours === null ? t("checker.test_none") : t("checker.test_age", { hours: testHours }));
  if (shown.advice && shown.advice[language] && shown.answer !== "green") add("checker.advice", shown.advice[language]);
  if (shown.offlineAsOf !== null) add("checker.basis", t("checker.basis_phone", { time: shown.offlineAsOf }), "card-basis");
  add("checker.place", make("span", "", ...dotted(shown.place[language])));
  add("checker.time", clockText(shown.atMs));
  return list;
}

function roleChoice(role: string, heard: Heard): HTMLElement {
  const choice = make("select", "input role") as HTMLSelectElement;
  choice.setAttribute("aria-label", t("checker.role"));
  for (const one of ["visitor", "courier", "companion"]) {
    const option = make("option", "", t(`checker.role.${one}`)) as HTMLOptionElement;
    option.value = one;
    option.selected = one === role;
    choice.append(option);
  }
  choice.addEventListener("change", () => heard.claimed(choice.value));
  return choice;
}

function buttons(shown: Shown, heard: Heard): HTMLElement {
  const offered: Choice[] = [...new Set<Choice>([shown.primary, ...shown.others])];
  const many = offered.length > 2;
  const row = make("div", many ? "do2 is-many" : "do2");
  const openedAt = performance.now();
  // Beside one other act the primary one stands right, under the thumb; above many it takes a line of its own.
  for (const choice of many ? offered : [...offered].reverse()) {
    const primary = choice === shown.primary;
    const code = codeOf(choice, primary, shown);
    const icon = primary || choice === "report" || choice === "seen" ? icons[choice] : undefined;
    const label = make("span");
    write(label, both(code));
    label.firstChild?.replaceWith(make("span", "act-word", t(code)));
    // Only the primary act carries its English line: the row stays one glance.
    const text: Node[] = primary ? [...label.childNodes] : [document.createTextNode(t(code))];
    const button = make("button", primary ? "btn btn-primary btn-lg" : many ? "btn" : "btn btn-lg", ...(icon ? [drawing(icon)] : []), ...text);
    button.setAttribute("type", "button");
    button.dataset["choice"] = choice;
    button.addEventListener("click", () => {
      if (performance.now() - openedAt >= deafMs) heard.chosen(choice);
    });
    row.append(button);
  }
  if (offered.length === 1) row.classList.add("is-one");
  return row;
}

function codeOf(choice: Choice, primary: boolean, shown: Shown): string {
  if (choice === "admit" && shown.emergency) return "checker.do_emergency";
  if (choice === "admit" && !primary) return "checker.do_admit_asked";
  return `checker.do_${choice}`;
}
