// Which calls are looked at: those within a range of time that pass the filters. The kernel chooses by the same rules.

import { type Calls, GROUPS, type Group, type Word } from "./calls";

/** Milliseconds since 1970, the end not included. */
export type Range = readonly [number, number];

/** The words that pass, for each group that is filtered. */
export type Filters = Readonly<Partial<Record<Group, readonly Word[]>>>;

export interface Choice {
  range: Range | null;
  filters: Filters;
}

/** The places of the calls that are chosen, as if there were no filter on `but`. */
export function choose(calls: Calls, { range, filters }: Choice, but?: Group): Int32Array {
  const tests = GROUPS.flatMap((name) => {
    const words = filters[name];
    if (!words?.length || name === but) return [];
    const { words: known, codes } = calls.groups[name];
    return [{ codes, passes: Uint8Array.from(known, (word) => (words.includes(word) ? 1 : 0)) }];
  });
  const chosen = new Int32Array(calls.length);
  let count = 0;
  for (let call = 0; call < calls.length; call++) {
    const time = calls.time[call] as number;
    if (range && !(range[0] <= time && time < range[1])) continue;
    if (tests.every(({ codes, passes }) => passes[codes[call] as number])) chosen[count++] = call;
  }
  return chosen.subarray(0, count);
}

/** The filters with a word added to its group, or taken away if it was there. */
export function toggled(filters: Filters, group: Group, word: Word): Filters {
  const words = filters[group] ?? [];
  const left = words.includes(word) ? words.filter((each) => each !== word) : [...words, word];
  const { [group]: _, ...others } = filters;
  return left.length ? { ...others, [group]: left } : others;
}

const NOBODY: Partial<Record<Group, string>> = { agent: "no agent", cell: "outside of a notebook" };

/** A word as people read it. */
export function label(group: Group, word: Word): string {
  if (word === null) return NOBODY[group] ?? "none";
  if (group !== "cell") return word;
  const [notebook, cell, count] = JSON.parse(word) as [string | null, string | null, number | null];
  const place = count === null ? cell?.slice(0, 8) : `[${count}]`;
  return [place, notebook].filter(Boolean).join(" ");
}
