// Sums over chosen calls. What `UsageFrame.by` says in Python, this says too.

import type { Calls, Group, NumberName, Word } from "./calls";

export interface Line {
  word: Word;
  calls: number;
  input: number;
  output: number;
  /** In US dollars; null where none is known. */
  cost: number | null;
  /** Calls whose cost nobody knows. */
  unknown: number;
  errors: number;
  /** Medians, in seconds. */
  duration: number | null;
  first: number | null;
}

export interface Mix {
  fresh: number;
  cached: number;
  written: number;
  output: number;
  reasoning: number;
}

export const known = (value: number | undefined): number => (value === undefined || Number.isNaN(value) ? 0 : value);

export function total(calls: Calls, chosen: Int32Array): Line {
  return line(calls, chosen, null);
}

/** A line for each word of the group, in no order. */
export function breakdown(calls: Calls, chosen: Int32Array, group: Group): Line[] {
  const { words, codes } = calls.groups[group];
  const sizes = new Int32Array(words.length);
  for (const call of chosen) {
    const code = codes[call] as number;
    sizes[code] = (sizes[code] as number) + 1;
  }
  const members = Array.from(sizes, (size) => new Int32Array(size));
  sizes.fill(0);
  for (const call of chosen) {
    const code = codes[call] as number;
    const place = sizes[code] as number;
    (members[code] as Int32Array)[place] = call;
    sizes[code] = place + 1;
  }
  return members.flatMap((each, code) => (each.length ? [line(calls, each, words[code] as Word)] : []));
}

function line(calls: Calls, chosen: Int32Array, word: Word): Line {
  const { cost, input_tokens, output_tokens } = calls.numbers;
  let [input, output, dollars, unknown, errors] = [0, 0, 0, 0, 0];
  for (const call of chosen) {
    input += known(input_tokens[call]);
    output += known(output_tokens[call]);
    dollars += known(cost[call]);
    if (Number.isNaN(cost[call])) unknown += 1;
    if (calls.word("error", call) !== null) errors += 1;
  }
  return {
    word,
    calls: chosen.length,
    input,
    output,
    cost: unknown === chosen.length && unknown > 0 ? null : dollars,
    unknown,
    errors,
    duration: quantile(sorted(calls, chosen, "duration"), 0.5),
    first: quantile(sorted(calls, chosen, "time_to_first_token"), 0.5),
  };
}

/** Tokens by kind, each counted once: cached ones aren't fresh, and reasoning isn't output, here. */
export function mix(calls: Calls, chosen: Int32Array): Mix {
  const sum: Mix = { fresh: 0, cached: 0, written: 0, output: 0, reasoning: 0 };
  for (const call of chosen) {
    const one = mixOf(calls, call);
    for (const name of Object.keys(sum) as (keyof Mix)[]) sum[name] += one[name];
  }
  return sum;
}

export function mixOf({ numbers }: Calls, call: number): Mix {
  const cached = known(numbers.cached_tokens[call]);
  const written = known(numbers.cache_write_tokens[call]);
  const reasoning = known(numbers.reasoning_tokens[call]);
  return {
    fresh: Math.max(0, known(numbers.input_tokens[call]) - cached - written),
    cached,
    written,
    output: Math.max(0, known(numbers.output_tokens[call]) - reasoning),
    reasoning,
  };
}

/** The known numbers of the chosen calls, smallest first. */
export function sorted(calls: Calls, chosen: Int32Array, name: NumberName): Float64Array {
  const column = calls.numbers[name];
  const values = new Float64Array(chosen.length);
  let count = 0;
  for (const call of chosen) {
    const value = column[call] as number;
    if (!Number.isNaN(value)) values[count++] = value;
  }
  return values.subarray(0, count).sort();
}

/** Between two values, what lies between them; null of none. */
export function quantile(values: Float64Array, share: number): number | null {
  if (!values.length) return null;
  const place = (values.length - 1) * share;
  const low = values[Math.floor(place)] as number;
  const high = values[Math.ceil(place)] as number;
  return low + (high - low) * (place - Math.floor(place));
}

export interface Bin {
  from: number;
  to: number;
  calls: number;
}

/** Counts in bins that grow by a factor, as waits do; every value is in one. */
export function histogram(values: Float64Array, bins: number): Bin[] {
  if (!values.length) return [];
  const low = Math.max(values[0] as number, 1e-3);
  const high = Math.max(values.at(-1) as number, low * 1.001);
  const step = Math.log(high / low) / bins;
  const edge = (index: number) => (index === bins ? high : low * Math.exp(step * index));
  const found = Array.from({ length: bins }, (_, index) => ({ from: edge(index), to: edge(index + 1), calls: 0 }));
  for (const value of values) {
    const index = Math.floor(Math.log(Math.max(value, low) / low) / step);
    (found[Math.min(index, bins - 1)] as Bin).calls += 1;
  }
  return found;
}

export interface Failure {
  word: Word;
  calls: number;
  last: number;
}

/** Errors by type, the most frequent first, each with when it was last seen. */
export function failures(calls: Calls, chosen: Int32Array): Failure[] {
  const found = new Map<Word, Failure>();
  for (const call of chosen) {
    const word = calls.word("error", call);
    if (word === null) continue;
    const failure = found.get(word) ?? { word, calls: 0, last: 0 };
    failure.calls += 1;
    failure.last = Math.max(failure.last, calls.time[call] as number);
    found.set(word, failure);
  }
  return [...found.values()].sort((one, other) => other.calls - one.calls);
}
