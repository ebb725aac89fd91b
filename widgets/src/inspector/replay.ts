// The replay's clock, and the answer as it stood at any event.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { placeOf } from "./filter";
import { asObject, isDelta, type Lane, type Run } from "./run";
import type { RawEvent } from "./types";

export const SPEEDS = [1, 2, 5, 10, 20] as const;

/** Where the replay stands. `index` is the last event that has come, null where the whole run is shown. */
export interface Position {
  index: number | null;
  seconds: number;
}

/** The position after a stretch of real time. */
export function advanced(run: Run, at: Position, elapsedMs: number, speed: number, end = run.end): Position {
  const seconds = Math.min(end, at.seconds + (elapsedMs / 1000) * speed);
  return { seconds, index: Math.max(placeOf(run.scale, seconds), at.index ?? -1) };
}

/** The event before or after; from the whole run, the last or the first. */
export function stepped(run: Run, at: Position, by: 1 | -1): Position {
  const last = run.events.length - 1;
  const from = at.index ?? (by > 0 ? -1 : last + 1);
  return standing(run, Math.max(0, Math.min(last, from + by)));
}

export const standing = (run: Run, index: number): Position => ({ index, seconds: run.scale[index] ?? 0 });

export interface Replay {
  at: Position;
  playing: boolean;
  speed: number;
  setSpeed: (speed: number) => void;
  toggle: () => void;
  step: (by: 1 | -1) => void;
  choose: (index: number) => void;
  seek: (seconds: number) => void;
  whole: () => void;
}

/** The state of the replay of a run, until `end`; it moves by itself while it plays. */
export function useReplay(run: Run, end: number): Replay {
  const all = { index: null, seconds: end };
  const [at, setAt] = useState<Position>(all);
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState<number>(1);
  const here = useRef(at);
  const go = useCallback((next: Position) => {
    here.current = next;
    setAt(next);
  }, []);
  const stay = useCallback(
    (next: Position) => {
      setPlaying(false);
      go(next);
    },
    [go],
  );
  const shown = useRef(run);
  useEffect(() => {
    if (shown.current !== run) stay({ index: null, seconds: end });
    shown.current = run;
  }, [run, end, stay]);
  useEffect(() => {
    if (!playing) return;
    return everyFrame((elapsedMs) => {
      go(advanced(run, here.current, elapsedMs, speed, end));
      if (here.current.seconds >= end) setPlaying(false);
    });
  }, [run, end, playing, speed, go]);
  const toggle = useCallback(() => {
    if (!playing && here.current.seconds >= end) go({ index: -1, seconds: 0 });
    setPlaying(!playing);
  }, [end, playing, go]);
  return {
    at: at.index === null ? all : at, // a run beside, and with it the end, may come later
    playing,
    speed,
    setSpeed,
    toggle,
    step: (by) => stay(stepped(run, here.current, by)),
    choose: (index) => stay(standing(run, index)),
    seek: (seconds) => go({ seconds, index: placeOf(run.scale, seconds) }),
    whole: () => stay(all),
  };
}

function everyFrame(move: (elapsedMs: number) => void): () => void {
  let last = performance.now();
  let frame = requestAnimationFrame(function next(now) {
    move(Math.max(0, now - last));
    last = now;
    frame = requestAnimationFrame(next);
  });
  return () => cancelAnimationFrame(frame);
}

// -- the answer -----------------------------------------------------------------------------------------------------

export interface Block {
  lane: Lane;
  text: string;
  done: boolean;
}

/** The answer at any event. Going forward adds what is new, going back begins anew. */
export class Growing {
  readonly #run: Run;
  #blocks: Block[] = [];
  #next = 0;

  constructor(run: Run) {
    this.#run = run;
  }

  /** The items that have begun by then, with what they hold; all of them for null. */
  at(index: number | null): readonly Block[] {
    const next = (index ?? this.#run.events.length - 1) + 1;
    if (next < this.#next) {
      this.#blocks = [];
      this.#next = 0;
    }
    for (; this.#next < next; this.#next++) this.#take(this.#next);
    return this.#blocks.filter(Boolean);
  }

  #take(index: number) {
    const place = this.#run.laneOf[index] ?? -1;
    const lane = this.#run.lanes[place];
    const event = this.#run.events[index];
    if (!lane || !event) return;
    const block = this.#blocks[place] ?? { lane, text: "", done: false };
    this.#blocks[place] = { ...block, text: grown(block.text, event), done: block.done || lane.end === index };
  }
}

function grown(text: string, event: RawEvent): string {
  if (isDelta(event)) return text + (typeof event.delta === "string" ? event.delta : "");
  if (/_part\.added$/.test(String(event.type)) && text) return `${text}\n\n`;
  const item = asObject(event.item);
  return !text && item ? wordsOf(item) : text;
}

/** The words that an item holds itself. */
function wordsOf(item: RawEvent): string {
  if (typeof item.arguments === "string") return item.arguments;
  if (typeof item.output === "string") return item.output;
  const parts = [item.content, item.summary, item.output].find((each) => Array.isArray(each) && each.length);
  return ((parts ?? []) as unknown[]).map((part) => asObject(part)?.text ?? asObject(part)?.refusal ?? "").join("\n\n");
}
