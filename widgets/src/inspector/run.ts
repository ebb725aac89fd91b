// A recording as the view uses it: where each event stands in time and in which lane.

import type { Packed, RawEvent, Violation } from "./types";

/** How far apart events are drawn whose times nobody measured, in seconds. */
export const STEP = 0.05;

const KINDS: Record<string, string> = { function_call: "call", function_call_output: "result" };
const ENDS = new Set(["response.completed", "response.failed", "response.incomplete"]);

/** One output item. `begin`, `first` (its first delta) and `end` are places among the events. */
export interface Lane {
  kind: string;
  name: string;
  label: string;
  begin: number;
  first: number | null;
  end: number | null;
  events: number[];
  deltas: number;
  item: RawEvent;
}

export interface Run extends Packed {
  /** Never decreases; seconds since the request, or made up where nothing was measured. */
  scale: number[];
  measured: boolean;
  end: number;
  lanes: Lane[];
  /** The lane of each event, -1 for those of the whole response. */
  laneOf: Int32Array;
  counts: [type: string, count: number][];
  broken: Map<number, Violation[]>;
  firstToken: number | null;
  tokens: { input: number; output: number } | null;
}

export function runOf(packed: Packed): Run {
  const measured = packed.times.length === packed.events.length;
  const scale = scaleOf(packed, measured);
  const { lanes, laneOf } = lanesOf(packed.events);
  const firstToken = packed.events.findIndex(isDelta);
  return {
    ...packed,
    scale,
    measured,
    end: Math.max(scale.at(-1) ?? 0, 0.001),
    lanes,
    laneOf,
    counts: countsOf(packed.events),
    broken: grouped(packed.violations),
    firstToken: firstToken < 0 ? null : firstToken,
    tokens: tokensOf(packed.events),
  };
}

export const typeOf = (event: RawEvent | undefined): string => String(event?.type ?? "no type");
export const isDelta = (event: RawEvent) => typeOf(event).endsWith(".delta");
export const isEnd = (event: RawEvent) => ENDS.has(typeOf(event));

/** The piece of text that an event brings. */
export function piece(event: RawEvent): string {
  for (const key of ["delta", "text", "arguments", "refusal"]) {
    if (typeof event[key] === "string") return event[key];
  }
  const error = asObject(event.error);
  return typeof error?.message === "string" ? error.message : "";
}

export function asObject(value: unknown): RawEvent | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as RawEvent) : null;
}

function scaleOf({ events, times }: Packed, measured: boolean): number[] {
  let latest = 0;
  return events.map((_, index) => {
    const seconds = measured ? times[index] : index * STEP;
    latest = Math.max(latest, Number.isFinite(seconds) ? (seconds as number) : latest);
    return latest;
  });
}

function lanesOf(events: readonly RawEvent[]) {
  const lanes: Lane[] = [];
  const places = new Map<unknown, number>();
  const laneOf = new Int32Array(events.length).fill(-1);
  events.forEach((event, index) => {
    const key = keyOf(event);
    if (key === null) return;
    let place = places.get(key);
    if (place === undefined) {
      place = lanes.length;
      places.set(key, place);
      lanes.push({
        kind: "",
        name: "",
        label: "",
        begin: index,
        first: null,
        end: null,
        events: [],
        deltas: 0,
        item: {},
      });
    }
    laneOf[index] = place;
    const lane = lanes[place];
    if (lane) note(lane, event, index);
  });
  name(lanes);
  return { lanes, laneOf };
}

/** Items are told apart by their place in the output; where a broken stream tells none, by their id. */
function keyOf(event: RawEvent): number | string | null {
  if (typeof event.output_index === "number") return event.output_index;
  const id = event.item_id ?? asObject(event.item)?.id;
  return typeof id === "string" ? id : null;
}

function note(lane: Lane, event: RawEvent, index: number) {
  lane.events.push(index);
  lane.item = asObject(event.item) ?? lane.item;
  if (isDelta(event)) {
    lane.deltas += 1;
    lane.first ??= index;
  }
  if (event.type === "response.output_item.done") lane.end = index;
}

function name(lanes: Lane[]) {
  const calls = new Map(lanes.map(({ item }) => [item.call_id, item.name] as const).filter(([, name]) => name));
  lanes.forEach((lane, place) => {
    const kind = String(lane.item.type ?? "item");
    lane.kind = KINDS[kind] ?? kind;
    lane.name = String(lane.item.name ?? calls.get(lane.item.call_id) ?? "");
    lane.label = `${place} ${lane.kind} ${lane.name}`.trimEnd();
  });
}

function countsOf(events: readonly RawEvent[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const event of events) counts.set(typeOf(event), (counts.get(typeOf(event)) ?? 0) + 1);
  return [...counts].sort((one, other) => other[1] - one[1]);
}

function grouped(violations: readonly Violation[]): Map<number, Violation[]> {
  const broken = new Map<number, Violation[]>();
  for (const each of violations) {
    if (each.event !== null) broken.set(each.event, [...(broken.get(each.event) ?? []), each]);
  }
  return broken;
}

function tokensOf(events: readonly RawEvent[]) {
  for (const event of events.toReversed()) {
    const usage = asObject(asObject(event.response)?.usage);
    if (typeof usage?.input_tokens === "number" && typeof usage.output_tokens === "number") {
      return { input: usage.input_tokens, output: usage.output_tokens };
    }
  }
  return null;
}
