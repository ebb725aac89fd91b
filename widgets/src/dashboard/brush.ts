// The brush on the timeline, in steps: [first, end not included].

export type Steps = readonly [number, number];

export type Thumb = "start" | "end";

/** What a pointer does: draw a new range, move one of its ends, or move all of it. */
export type Drag = { kind: "new"; from: number } | { kind: Thumb } | { kind: "move"; from: number; steps: Steps };

const clamp = (value: number, low: number, high: number) => Math.max(low, Math.min(high, value));

/** Where a key puts the brush; null for a key that means nothing here. With Shift the whole range moves. */
export function keyed(key: string, shift: boolean, thumb: Thumb, steps: Steps, count: number): Steps | null {
  const page = Math.max(2, Math.round(count / 10));
  const by: Record<string, number> = {
    ArrowLeft: -1,
    ArrowDown: -1,
    ArrowRight: 1,
    ArrowUp: 1,
    PageDown: -page,
    PageUp: page,
    Home: -count,
    End: count,
  };
  const change = by[key];
  if (change === undefined) return null;
  return shift ? slid(steps, change, count) : resized(steps, thumb, steps[thumb === "start" ? 0 : 1] + change, count);
}

/** The range with one end put elsewhere; a step stays between the two. */
export function resized(steps: Steps, thumb: Thumb, to: number, count: number): Steps {
  return thumb === "start" ? [clamp(to, 0, steps[1] - 1), steps[1]] : [steps[0], clamp(to, steps[0] + 1, count)];
}

/** The range moved, as far as there is room. */
export function slid(steps: Steps, by: number, count: number): Steps {
  const change = clamp(by, -steps[0], count - steps[1]);
  return [steps[0] + change, steps[1] + change];
}

/** What the pointer has got hold of; `place` is in steps, `near` says how close to an end is close. */
export function grabbed(place: number, steps: Steps | null, near: number): Drag {
  if (steps) {
    const [start, end] = steps;
    if (Math.abs(place - start) < near) return { kind: "start" };
    if (Math.abs(place - end) < near) return { kind: "end" };
    if (start < place && place < end) return { kind: "move", from: place, steps };
  }
  return { kind: "new", from: place };
}

/** The range when the pointer is at that place; without having moved it is the step below it. */
export function dragged(drag: Drag, place: number, steps: Steps, count: number): Steps {
  if (drag.kind === "move") return slid(drag.steps, Math.round(place - drag.from), count);
  if (drag.kind !== "new") return resized(steps, drag.kind, Math.round(place), count);
  const low = clamp(Math.floor(Math.min(place, drag.from)), 0, count - 1);
  return [low, clamp(Math.ceil(Math.max(place, drag.from)), low + 1, count)];
}
