// The run that is inspected, and the one beside it, if there is one.

import type { Run } from "./run";
import type { Side } from "./types";

/** A run, the event at which the replay stands in it, and how to go to another. */
export interface Shown {
  run: Run;
  at: number | null;
  choose: (index: number) => void;
}

export interface Sides {
  run: Shown;
  other?: Shown;
}

export const NAMES: Record<Side, string> = { run: "the run", other: "the run beside" };

export function both(sides: Sides): [Side, Shown][] {
  return sides.other
    ? [
        ["run", sides.run],
        ["other", sides.other],
      ]
    : [["run", sides.run]];
}
