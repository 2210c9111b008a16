// Test age, counted to now and never only to the start (PL1 2.7).

/** Returns the age that counts, in seconds: at most ten minutes in the resident's favour. */
export function ageSeconds(sampled: number, now: number): number {
  return Math.max(0, now - (sampled + 600));
}

/** Returns whether a test is recent enough by elapsed time. */
export function isWithinHours(sampled: number | null, now: number, hoursMax: number): boolean {
  return sampled !== null && ageSeconds(sampled, now) <= hoursMax * 3600;
}

/** Returns the realm's calendar day of a moment, in days since 1970-01-01. */
export function dayOf(seconds: number, offsetMinutes: number): number {
  return Math.floor((seconds + offsetMinutes * 60) / 86_400);
}

/** Returns whether a test is recent enough by calendar days of the realm. */
export function isWithinDays(sampled: number | null, now: number, daysMax: number, offsetMinutes: number): boolean {
  return sampled !== null && dayOf(now, offsetMinutes) - dayOf(sampled, offsetMinutes) <= daysMax;
}
