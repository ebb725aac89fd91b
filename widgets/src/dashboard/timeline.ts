// Calls over time, in steps that suit the clock.

import { type Calls, DAY } from "./calls";
import type { Range } from "./choice";
import { known, mixOf } from "./sums";

export const MEASURES = ["tokens", "cost", "calls"] as const;

export type Measure = (typeof MEASURES)[number];

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STEPS = [
  ...[1, 5, 15].map((each) => each * SECOND),
  ...[1, 5, 15].map((each) => each * MINUTE),
  ...[1, 3, 6, 12].map((each) => each * HOUR),
  ...[1, 7, 28, 91, 364, 3640].map((each) => each * DAY),
];
/** An axis has room for coarser ones in between. */
const TICKS = [...STEPS, 2 * DAY, 14 * DAY].sort((one, other) => one - other);
const MONDAY = 4 * DAY; // after the first day of 1970

export interface Series {
  name: string;
  values: Float64Array;
}

export interface Timeline {
  /** When the first step begins, in milliseconds since 1970. */
  start: number;
  /** How long a step is, in milliseconds. */
  step: number;
  steps: number;
  series: Series[];
}

const SERIES: Record<Measure, readonly string[]> = {
  tokens: ["fresh input", "cached input", "cache write", "output", "reasoning"],
  cost: ["cost"],
  calls: ["answered", "failed"],
};

/** The chosen calls in at most so many steps, which span all calls; null if there is none. */
export function timeline(calls: Calls, chosen: Int32Array, measure: Measure, most: number): Timeline | null {
  const span = spanOf(calls);
  if (!span) return null;
  const step = stepFor(span, most);
  const start = floored(span[0], step, calls.offset);
  const steps = Math.floor((span[1] - start) / step) + 1;
  const series = SERIES[measure].map((name) => ({ name, values: new Float64Array(steps) }));
  for (const call of chosen) {
    const index = Math.floor(((calls.time[call] as number) - start) / step);
    amounts(calls, call, measure).forEach((amount, place) => {
      const values = (series[place] as Series).values;
      values[index] = (values[index] as number) + amount;
    });
  }
  return { start, step, steps, series };
}

/** When a step of a timeline begins. */
export const beginning = (line: Timeline, index: number): number => line.start + index * line.step;

/** The steps that a range covers, the last one not included; all of them for none. */
export function stepsOf(line: Timeline, range: Range | null): [number, number] {
  if (!range) return [0, line.steps];
  const place = (time: number, round: (value: number) => number) =>
    Math.max(0, Math.min(line.steps, round((time - line.start) / line.step)));
  return [place(range[0], Math.floor), place(range[1], Math.ceil)];
}

export interface Tick {
  time: number;
  /** Where it is, from 0 at the start to 1 at the end. */
  place: number;
  /** How far from the next. */
  interval: number;
}

/** Moments for an axis, at most so many, at round times of the kernel's clock. */
export function ticks(line: Timeline, offset: number, most: number): Tick[] {
  const span = line.step * line.steps;
  const interval = TICKS.find((each) => each >= line.step && span / each <= most) ?? (TICKS.at(-1) as number);
  const found: Tick[] = [];
  for (let time = floored(line.start, interval, offset); time < line.start + span; time += interval) {
    if (time >= line.start) found.push({ time, place: (time - line.start) / span, interval });
  }
  return found.length ? found : [{ time: line.start, place: 0, interval: line.step }];
}

function amounts(calls: Calls, call: number, measure: Measure): number[] {
  if (measure === "cost") return [known(calls.numbers.cost[call])];
  if (measure === "calls") return calls.word("error", call) === null ? [1, 0] : [0, 1];
  const { fresh, cached, written, output, reasoning } = mixOf(calls, call);
  return [fresh, cached, written, output, reasoning];
}

function spanOf({ time }: Calls): [number, number] | null {
  if (!time.length) return null;
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const each of time) {
    if (each < first) first = each;
    if (each > last) last = each;
  }
  return [first, last];
}

function stepFor([first, last]: [number, number], most: number): number {
  return STEPS.find((step) => (last - first) / step < most - 1) ?? (STEPS.at(-1) as number);
}

/** The beginning of the step that a moment is in, by the kernel's clock; weeks begin on Mondays. */
function floored(time: number, step: number, offset: number): number {
  const shift = offset - (step >= 7 * DAY ? MONDAY : 0);
  return Math.floor((time + shift) / step) * step - shift;
}
