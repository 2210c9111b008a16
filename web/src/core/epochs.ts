// Epochs: the days of a status index, 1,440 minutes from 04:00 of the realm's fixed offset (PL1 2.5).

import { startZero } from "./layout.ts";

export const overlapMinutes = 120;

/** Returns the epoch of a start in minutes since 2026-01-01Z. */
export function epochOf(start: number, offsetMinutes: number): number {
  return Math.floor((start + offsetMinutes - 240) / 1440);
}

/** Returns the first minute of an epoch. */
export function epochStart(epoch: number, offsetMinutes: number): number {
  return epoch * 1440 + 240 - offsetMinutes;
}

export function epochEndSeconds(epoch: number, offsetMinutes: number): number {
  return startZero + epochStart(epoch + 1, offsetMinutes) * 60;
}

export function minutesOf(seconds: number): number {
  return Math.floor((seconds - startZero) / 60);
}
