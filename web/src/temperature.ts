// A temperature as a guard types it: degrees Celsius with one decimal. A wrong unit is an error, never a fever.

/** Tenths of °C. Between these a living person's temperature can lie (ui.md 10); the policy has its own limit. */
export const lowestTenths = 340;
export const highestTenths = 430;

/** Why a typed temperature is not taken; each has its own words on the page. */
export type TemperatureFault = "empty" | "form" | "fahrenheit" | "range";

/** What a thermometer said, and which one it was. */
export interface Reading {
  readonly tenths: number;
  readonly thermometer: string;
}

/** Reads `36.5`, `36,5`, `36。5` or `36.5 °C`; nothing is guessed: 365 and 97.7 are refused. */
export function readTemperature(typed: string): { tenths: number } | { fault: TemperatureFault } {
  const text = typed.normalize("NFKC").trim().replace(/\s*(°\s*C|C)$/i, "").replace(/[,。、]/, ".");
  if (text === "") return { fault: "empty" };
  if (/F$/i.test(text)) return { fault: "fahrenheit" };
  if (!/^\d{1,3}(\.\d{1,2})?$/.test(text)) return { fault: "form" };
  const [degrees, fraction = ""] = text.split(".");
  // Written to hundredths by some thermometers; half a tenth goes up, so that no fever is rounded away.
  const tenths = Math.floor((Number(degrees) * 100 + Number(fraction.padEnd(2, "0")) + 5) / 10);
  if (tenths >= 900 && tenths <= 1130) return { fault: "fahrenheit" };
  if (tenths < lowestTenths || tenths > highestTenths) return { fault: "range" };
  return { tenths };
}

/** Returns 36.5 °C, with no break between number and unit. */
export function temperatureText(tenths: number): string {
  return `${Math.floor(tenths / 10)}.${tenths % 10}\u00a0°C`;
}
