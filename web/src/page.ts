// What every script needs of its page: elements, the messages embedded by the server, words for times.

export type Language = "zh" | "en";
export type Texts = Readonly<Record<Language, string>>;
type Parameters = Readonly<Record<string, string | number>>;

export const language: Language = document.documentElement.lang.startsWith("en") ? "en" : "zh";
const catalogue = readData<Record<string, Texts>>("messages") ?? {};

/** Returns the element with this id; a page without it is a bug. */
export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`No element #${id}.`);
  return found as T;
}

/** Returns what the server wrote into the data block `id`, or null. */
export function readData<T>(id: string): T | null {
  const block = document.getElementById(id);
  return block?.textContent ? (JSON.parse(block.textContent) as T) : null;
}

/** Returns the message `code` in one language. */
export function textIn(code: string, lang: Language, parameters: Parameters = {}): string {
  const texts = catalogue[code];
  if (!texts) throw new Error(`No message ${code}.`);
  return texts[lang].replace(/\{(\w+)\}/g, (_, name: string) => String(parameters[name] ?? ""));
}

/** Returns the message `code` in the page's language. */
export function t(code: string, parameters: Parameters = {}): string {
  return textIn(code, language, parameters);
}

/** Returns whether the server sent a message of this code. */
export function known(code: string): boolean {
  return code in catalogue;
}

/** Returns both languages of the message `code`. */
export function both(code: string, parameters: Parameters = {}): Texts {
  return { zh: textIn(code, "zh", parameters), en: textIn(code, "en", parameters) };
}

/** Fills `target` with a main line and, on a Chinese page, the English second line. */
export function write(target: HTMLElement, texts: Texts, options: { block?: boolean } = {}): void {
  const nodes: (Node | string)[] = [texts[language]];
  if (language === "zh" && texts.en) {
    const second = document.createElement("span");
    second.className = options.block ? "en en-block" : "en";
    second.lang = "en";
    second.textContent = texts.en;
    if (!options.block) nodes.push(" ");
    nodes.push(second);
  }
  target.replaceChildren(...nodes);
}

/** Returns an icon of the house's set: `s-green`, `i-scan`, … */
export function drawing(name: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", name.startsWith("s-") ? "shape" : "i");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${document.body.dataset["icons"] ?? ""}#${name}`);
  svg.append(use);
  return svg;
}

/** Returns a new element with a class and children. */
export function make(tag: string, className = "", ...children: (Node | string)[]): HTMLElement {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** Returns the middle dot of one width. */
export function separator(): HTMLElement {
  return make("i", "sep", "·");
}

const zone = "Asia/Shanghai";
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const weekdays: Record<Language, readonly string[]> = {
  zh: ["周日", "周一", "周二", "周三", "周四", "周五", "周六"],
  en: ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"],
};
const parts = new Intl.DateTimeFormat("en-GB", {
  timeZone: zone, hourCycle: "h23", month: "numeric", day: "numeric",
  year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
});

function fields(ms: number): Record<string, string> {
  return Object.fromEntries(parts.formatToParts(ms).map((part) => [part.type, part.value]));
}

/** Returns 10:42:07. */
export function clockText(ms: number): string {
  const f = fields(ms);
  return `${f["hour"]}:${f["minute"]}:${f["second"]}`;
}

/** Returns 10:42. */
export function timeText(ms: number): string {
  return clockText(ms).slice(0, 5);
}

/** Returns 6月8日 or 8 Jun. */
export function dayText(ms: number, lang: Language = language): string {
  const f = fields(ms);
  return lang === "zh" ? `${Number(f["month"])}月${Number(f["day"])}日` : `${Number(f["day"])} ${months[Number(f["month"]) - 1]}`;
}

/** Returns 6月8日 周三 or Wed 8 Jun. */
export function weekdayText(ms: number, lang: Language = language): string {
  const f = fields(ms);
  const day = new Date(Date.UTC(Number(f["year"]), Number(f["month"]) - 1, Number(f["day"]))).getUTCDay();
  return lang === "zh" ? `${dayText(ms, lang)} ${weekdays.zh[day]}` : `${weekdays.en[day]} ${dayText(ms, lang)}`;
}

/** Returns 6月8日 10:42 or 8 Jun 10:42. */
export function momentText(ms: number, lang: Language = language): string {
  return `${dayText(ms, lang)} ${timeText(ms)}`;
}
