// The waterfall's shapes. Lengths run from 0 to WIDTH, whatever the width on the page.

import { seconds as told } from "../shared/format";
import { isDelta, type Lane, type Run } from "./run";

export const WIDTH = 1000;
export const HEIGHT = 20;
const BINS = 250;
const GAP_SECONDS = 0.2;

export interface Gap {
  from: number;
  to: number;
}

/** How many of the events fall into each of `count` equal stretches of time. */
export function bins(events: readonly number[], scale: readonly number[], end: number, count = BINS): Uint32Array {
  const found = new Uint32Array(count);
  for (const index of events) {
    const bin = Math.min(count - 1, Math.floor(((scale[index] ?? 0) / end) * count));
    found[bin] = (found[bin] ?? 0) + 1;
  }
  return found;
}

/** One path for all of a lane's deltas: the more in a stretch of time, the higher. */
export function densityPath(lane: Lane, run: Run, end: number): string {
  const deltas = lane.events.filter((index) => isDelta(run.events[index] ?? {}));
  const found = bins(deltas, run.scale, end);
  const most = Math.max(...found, 1);
  const width = WIDTH / BINS;
  let path = "";
  found.forEach((count, bin) => {
    if (!count) return;
    const height = Math.max(4, Math.round((count / most) * (HEIGHT - 4)));
    path += `M${bin * width} ${HEIGHT - 2}v${-height}h${width}v${height}z`;
  });
  return path;
}

/** The stretches in which nothing came, from the request on. */
export function gaps(scale: readonly number[], threshold = GAP_SECONDS): Gap[] {
  const found: Gap[] = [];
  let from = 0;
  for (const to of scale) {
    if (to - from > threshold) found.push({ from, to });
    from = to;
  }
  return found;
}

export function gapPath(found: readonly Gap[], end: number): string {
  const at = (seconds: number) => Number(((seconds / end) * WIDTH).toFixed(2));
  return found.map(({ from, to }) => `M${at(from)} 0H${at(to)}V${HEIGHT}H${at(from)}z`).join("");
}

/** Round values from 0 on, a few of them. */
export function ticks(end: number, most = 6): number[] {
  const rough = end / most;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = size * ([1, 2, 5, 10].find((factor) => size * factor >= rough) ?? 10);
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, place) => place * step);
}

/** A tick's time, with as many digits as keep two ticks of a short run apart. */
export function tickText(value: number, end: number): string {
  return end < 0.005 ? `${Number((value * 1000).toPrecision(2))} ms` : told(value);
}

/** The place in the list (of event numbers in order) that is nearest to a time; 0 for an empty one. */
export function nearest(events: readonly number[], scale: readonly number[], seconds: number): number {
  let low = 0;
  let high = events.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((scale[events[middle] ?? 0] ?? 0) < seconds) low = middle + 1;
    else high = middle;
  }
  const before = scale[events[low - 1] ?? -1];
  const here = scale[events[low] ?? 0] ?? 0;
  return before !== undefined && seconds - before < here - seconds ? low - 1 : low;
}
