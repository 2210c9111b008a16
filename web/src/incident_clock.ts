// How the clocks of incidents are written (ui.md 7): 21:07 since found, 逾期6分07秒, 剩3分.

import type { Language } from "./page.ts";

/** Returns ``21:07``, or ``1:30:05`` from an hour on, of milliseconds. */
export function ageText(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (n: number): string => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** Returns ``1时30分`` or ``1 h 30 min``; ``exact`` adds seconds below an hour: ``6分07秒``. */
export function amountText(milliseconds: number, language: Language, exact: boolean): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = String(seconds % 60).padStart(2, "0");
  const zh = language === "zh";
  const parts: string[] = [];
  if (hours > 0) parts.push(zh ? `${hours}时` : `${hours} h`);
  if (minutes > 0) parts.push(zh ? `${minutes}分` : `${minutes} min`);
  if (hours === 0 && exact && minutes > 0) parts.push(zh ? `${rest}秒` : `${rest} s`);
  if (parts.length === 0) parts.push(zh ? `${seconds}秒` : `${seconds} s`);
  return parts.join(zh ? "" : " ");
}
