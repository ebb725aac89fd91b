// Moments by the kernel's clock, which needn't be the browser's.

import { DAY } from "./calls";

const iso = (time: number, offset: number) => new Date(time + offset).toISOString();

/** 2026-11-23 14:05, as fine as the step needs it. */
export function at(time: number, offset: number, step = 60_000): string {
  const text = iso(time, offset).replace("T", " ");
  if (step >= DAY) return text.slice(0, 10);
  return text.slice(0, step < 60_000 ? 19 : 16);
}

/** The same for an axis: a time of day, or a date where a day begins. */
export function tick(time: number, offset: number, interval: number): string {
  const text = iso(time, offset);
  if ((time + offset) % DAY === 0) return interval >= 300 * DAY ? text.slice(0, 4) : text.slice(5, 10);
  return text.slice(11, interval < 60_000 ? 19 : 16);
}

/** UTC+1 */
export function zone(offset: number): string {
  if (!offset) return "UTC";
  const minutes = Math.abs(offset) / 60_000;
  const rest = Math.round(minutes % 60);
  return `UTC${offset < 0 ? "−" : "+"}${Math.floor(minutes / 60)}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
}
