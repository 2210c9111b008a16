// The three musts of a door and the mask, in one row of the card: what was seen, what is still open, one touch each.

import type { DoorPolicy } from "./core/verdict.ts";
import type { Must, Visitor } from "./flow.ts";
import { drawing, language, make, t } from "./page.ts";
import { readTemperature, temperatureText } from "./temperature.ts";

/** What a guard changes by touching the row. */
export type Observation = Partial<Pick<Visitor, "mask" | "questions" | "temperature">>;
export type PanelName = "asked" | "measured";

export interface MustsView {
  readonly visitor: Visitor;
  readonly policy: DoorPolicy | null;
  readonly musts: readonly Must[];
  readonly open: PanelName | null;
  /** The thermometer that this door used last. */
  readonly thermometer: string;
}

export interface MustsHeard {
  readonly observed: (seen: Observation) => void;
  readonly opened: (panel: PanelName | null) => void;
  readonly register: () => void;
}

const icons = { asked: "i-why", measured: "i-thermo", registered: "i-edit", mask: "i-mask" } as const;
const stateIcons = { proven: "i-check", alarm: "i-flag", unobserved: "i-minus", "not-required": "i-minus" } as const;

export function mustsRow(view: MustsView, heard: MustsHeard): HTMLElement {
  const row = make("div", "musts");
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", t("checker.musts"));
  for (const must of view.musts) row.append(cell(must, view, heard));
  const box = make("div", "musts-box", row);
  if (view.open === "asked" && view.policy) box.append(questionsPanel(view, view.policy, heard));
  if (view.open === "measured") box.append(temperaturePanel(view, heard));
  return box;
}

/** Every question answered so that nothing alarms: the one touch. */
export function allNo(policy: DoorPolicy): Record<string, boolean> {
  return Object.fromEntries(policy.questions.map((question) => [question.id, !question.alarming]));
}

function cell(must: Must, view: MustsView, heard: MustsHeard): HTMLElement {
  const state = make("span", "must-state", drawing(stateIcons[must.state]), stateText(must, view));
  const button = make("button", `must is-${must.state}`, drawing(icons[must.must]), make("b", "", t(`checker.must.${must.must}`)), state);
  button.setAttribute("type", "button");
  button.dataset["must"] = must.must;
  button.toggleAttribute("disabled", must.state === "not-required" && must.must !== "measured");
  if (must.must === "asked" || must.must === "measured") button.setAttribute("aria-expanded", String(view.open === must.must));
  button.addEventListener("click", () => {
    if (must.must === "mask") heard.observed({ mask: view.visitor.mask === "yes" ? "no" : "yes" });
    else if (must.must === "registered") heard.register();
    else heard.opened(view.open === must.must ? null : must.must);
  });
  return button;
}

function stateText(must: Must, { visitor }: MustsView): string {
  if (must.must === "measured" && visitor.temperature) return temperatureText(visitor.temperature.tenths);
  if (must.must === "registered" && must.state === "proven") {
    const more = visitor.minors > 0 ? ` +${visitor.minors}` : "";
    return t(`checker.registered.${visitor.registered.how}`) + more;
  }
  return t(`checker.must_state.${must.must}.${must.state}`);
}

function questionsPanel(view: MustsView, policy: DoorPolicy, heard: MustsHeard): HTMLElement {
  const answers = { ...(view.visitor.questions ?? allNo(policy)) };
  const panel = make("fieldset", "must-panel questions", make("legend", "", t("checker.ask_lead")));
  for (const question of policy.questions) {
    const input = make("input") as HTMLInputElement;
    input.type = "checkbox";
    input.checked = answers[question.id] === true;
    input.dataset["question"] = question.id;
    input.addEventListener("change", () => {
      answers[question.id] = input.checked;
    });
    panel.append(make("label", "choice", input, make("span", "", question.text[language])));
  }
  const done = make("button", "btn btn-primary btn-lg", drawing("i-check"), t("checker.ask_done"));
  done.setAttribute("type", "button");
  done.dataset["act"] = "asked";
  done.addEventListener("click", () => heard.observed({ questions: answers }));
  panel.append(done);
  return panel;
}

function temperaturePanel(view: MustsView, heard: MustsHeard): HTMLElement {
  const value = input("temperature-value", "decimal", view.visitor.temperature ? (view.visitor.temperature.tenths / 10).toFixed(1) : "");
  const thermometer = input("temperature-by", "text", view.visitor.temperature?.thermometer ?? view.thermometer);
  thermometer.pattern = "[A-Za-z0-9][A-Za-z0-9._:-]{0,63}";
  const fault = make("span", "fault-line");
  fault.id = "temperature-fault";
  fault.hidden = true;
  const valueField = make("div", "field", label("temperature-value", "checker.temperature"), make("span", "with-unit", value, make("span", "", "°C")));
  const byField = make("div", "field", label("temperature-by", "checker.thermometer"), thermometer);
  const save = make("button", "btn btn-primary btn-lg", drawing("i-check"), t("checker.temperature_save"));
  save.setAttribute("type", "submit");
  const form = make("form", "must-panel temperature", fault, make("div", "two", valueField, byField), save) as HTMLFormElement;
  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const found = readTemperature(value.value);
    const by = thermometer.value.trim();
    const code = "fault" in found ? `checker.temperature_fault.${found.fault}` : thermometer.checkValidity() && by ? null : "checker.thermometer_fault";
    const wrong = "fault" in found ? value : thermometer;
    fault.hidden = code === null;
    for (const one of [value, thermometer]) {
      one.removeAttribute("aria-invalid");
      one.closest(".field")?.classList.remove("wrong");
    }
    if (code === null && "tenths" in found) {
      heard.observed({ temperature: { tenths: found.tenths, thermometer: by } });
      return;
    }
    if (code) fault.replaceChildren(drawing("i-edit"), t(code));
    wrong.parentElement?.closest(".field")?.classList.add("wrong");
    wrong.setAttribute("aria-invalid", "true");
    wrong.setAttribute("aria-describedby", "temperature-fault");
    wrong.focus();
  });
  return form;
}

function input(id: string, mode: string, value: string): HTMLInputElement {
  const made = make("input", "input") as HTMLInputElement;
  made.id = id;
  made.inputMode = mode;
  made.autocomplete = "off";
  made.maxLength = 64;
  made.value = value;
  return made;
}

function label(target: string, code: string): HTMLElement {
  const made = make("label", "", t(code)) as HTMLLabelElement;
  made.htmlFor = target;
  return made;
}
