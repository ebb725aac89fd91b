// Which events are shown: by type, and by a text within their JSON.

import type { Run } from "./run";
import { typeOf } from "./run";

const AT_ONCE = 1000;
const texts = new WeakMap<Run, string[]>();

/** The first events' JSON in lower case; each is written once. */
function searchable(run: Run, count: number): string[] {
  const known = texts.get(run) ?? [];
  texts.set(run, known);
  for (let index = known.length; index < Math.min(count, run.events.length); index++) {
    known.push(lowered(run.events[index]));
  }
  return known;
}

/** Write what a search reads, a little at a time; returns how to stop that. */
export function prepare(run: Run): () => void {
  let count = 0;
  const timer = setInterval(() => {
    count += AT_ONCE;
    searchable(run, count);
    if (count >= run.events.length) clearInterval(timer);
  });
  return () => clearInterval(timer);
}

function lowered(event: unknown): string {
  try {
    return JSON.stringify(event).toLowerCase();
  } catch {
    return ""; // nested too deep to be written
  }
}

/** The numbers of the events that are not of a hidden type and hold the text. */
export function filtered(run: Run, hidden: ReadonlySet<string>, text: string): number[] {
  const wanted = text.trim().toLowerCase();
  const json = wanted ? searchable(run, run.events.length) : null;
  const found: number[] = [];
  run.events.forEach((event, index) => {
    if (hidden.size && hidden.has(typeOf(event))) return;
    if (json && !json[index]?.includes(wanted)) return;
    found.push(index);
  });
  return found;
}

/** The place of a number in an ascending list, or of the last one before it; -1 if there is none. */
export function placeOf(numbers: readonly number[], wanted: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
