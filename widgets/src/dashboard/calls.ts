// The ledger's calls by column, as the kernel sends them.

export const NUMBERS = [
  "input_tokens",
  "cached_tokens",
  "cache_write_tokens",
  "output_tokens",
  "reasoning_tokens",
  "cost",
  "time_to_first_token",
  "duration",
] as const;

export type NumberName = (typeof NUMBERS)[number];

/** What calls are put together by; the kernel sends all but the day. */
export const GROUPS = ["model", "agent", "endpoint", "cell", "day", "context", "error"] as const;

export type Group = (typeof GROUPS)[number];

/** The word of a group; null is none: no agent, no error. */
export type Word = string | null;

export interface Sums {
  calls: number;
  input_tokens: number;
  output_tokens: number;
  cost: number;
  unknown: number;
  failed: number;
}

type Sent = Exclude<Group, "day">;

/** Columns of calls; each time is the difference to the one before, in milliseconds. */
export interface Columns {
  time: number[];
  words: Record<Sent, Word[]>;
  codes: Record<Sent, number[]>;
  numbers: Record<NumberName, (number | null)[]>;
}

export interface Snapshot extends Columns {
  /** How many calls the kernel knew when it wrote this. */
  count: number;
  /** Milliseconds that the kernel's clock is ahead of UTC. */
  offset: number;
  /** Over all calls, also those that aren't here. */
  sums: Sums;
}

export const DAY = 86_400_000;

/** A column of few different words: each call's place in the list of them. */
export interface Coded {
  words: readonly Word[];
  codes: Int32Array;
}

export class Calls {
  constructor(
    readonly count: number,
    readonly offset: number,
    readonly sums: Sums,
    readonly time: Float64Array,
    readonly groups: Record<Group, Coded>,
    /** What isn't known is NaN. */
    readonly numbers: Record<NumberName, Float64Array>,
  ) {}

  get length() {
    return this.time.length;
  }

  static of({ count, offset, sums, ...columns }: Snapshot): Calls {
    const time = added(columns.time);
    const coded = (name: Sent) => ({ words: columns.words[name], codes: Int32Array.from(columns.codes[name]) });
    return new Calls(count, offset, sums, time, grouped(coded, time, offset), numbers(columns));
  }

  /** These calls and more of them. */
  with(more: Columns | null, count: number, sums: Sums): Calls {
    if (!more) return new Calls(count, this.offset, sums, this.time, this.groups, this.numbers);
    const time = joined(this.time, added(more.time));
    const given = numbers(more);
    const both = Object.fromEntries(NUMBERS.map((name) => [name, joined(this.numbers[name], given[name])]));
    const coded = (name: Sent) => merged(this.groups[name], more.words[name], more.codes[name]);
    return new Calls(
      count,
      this.offset,
      sums,
      time,
      grouped(coded, time, this.offset),
      both as Record<NumberName, Float64Array>,
    );
  }

  word(group: Group, call: number): Word {
    const { words, codes } = this.groups[group];
    return words[codes[call] as number] as Word;
  }
}

function grouped(coded: (name: Sent) => Coded, time: Float64Array, offset: number): Record<Group, Coded> {
  const entries = GROUPS.map((name) => [name, name === "day" ? days(time, offset) : coded(name)]);
  return Object.fromEntries(entries) as Record<Group, Coded>;
}

function numbers(columns: Columns): Record<NumberName, Float64Array> {
  const entries = NUMBERS.map((name) => [name, Float64Array.from(columns.numbers[name], (each) => each ?? Number.NaN)]);
  return Object.fromEntries(entries) as Record<NumberName, Float64Array>;
}

function added(differences: readonly number[]): Float64Array {
  let sum = 0;
  return Float64Array.from(differences, (each) => {
    sum += each;
    return sum;
  });
}

function days(time: Float64Array, offset: number): Coded {
  const known = new Map<number, number>();
  const codes = Int32Array.from(time, (each) => place(known, Math.floor((each + offset) / DAY)));
  return { words: [...known.keys()].map((day) => new Date(day * DAY).toISOString().slice(0, 10)), codes };
}

function merged(one: Coded, words: readonly Word[], codes: readonly number[]): Coded {
  const known = new Map(one.words.map((word, index) => [word, index]));
  const places = words.map((word) => place(known, word));
  const all = new Int32Array(one.codes.length + codes.length);
  all.set(one.codes);
  codes.forEach((code, index) => {
    all[one.codes.length + index] = places[code] as number;
  });
  return { words: [...known.keys()], codes: all };
}

/** The place of a key in the order in which keys came. */
function place<K>(known: Map<K, number>, key: K): number {
  const found = known.get(key);
  if (found !== undefined) return found;
  known.set(key, known.size);
  return known.size - 1;
}

function joined(one: Float64Array, other: Float64Array): Float64Array {
  const both = new Float64Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
