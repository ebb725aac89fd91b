import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { dragged, grabbed, keyed, type Steps } from "../../src/dashboard/brush";
import { Calls, DAY, type Snapshot } from "../../src/dashboard/calls";
import { choose } from "../../src/dashboard/choice";
import { at, tick, zone } from "../../src/dashboard/clock";
import { mix } from "../../src/dashboard/sums";
import { beginning, MEASURES, stepsOf, type Timeline, ticks, timeline } from "../../src/dashboard/timeline";

const { snapshot } = JSON.parse(readFileSync("tests/dashboard/ledger.json", "utf8")) as {
  snapshot: Snapshot;
};
const calls = Calls.of(snapshot);
const all = choose(calls, { range: null, filters: {} });
const sum = (values: Iterable<number>) => [...values].reduce((one, other) => one + other, 0);
const HOUR = 3_600_000;

test.each([2, 5, 72, 1000])("at most %d steps hold every token", (most) => {
  const line = timeline(calls, all, "tokens", most) as Timeline;
  expect(line.steps).toBeLessThanOrEqual(most);
  expect(line.series.map(({ values }) => sum(values))).toEqual(Object.values(mix(calls, all)));
});

test.each(MEASURES)("steps of %s are those between their times", (measure) => {
  const line = timeline(calls, all, measure, 40) as Timeline;
  const counted = timeline(calls, all, "calls", 40) as Timeline;
  for (let step = 0; step < line.steps; step++) {
    const inside = choose(calls, { range: [beginning(line, step), beginning(line, step + 1)], filters: {} });
    expect(sum(counted.series.map(({ values }) => values[step] as number))).toBe(inside.length);
  }
});

test("steps begin at round times of the kernel's clock", () => {
  const line = timeline(calls, all, "tokens", 30) as Timeline;
  expect((line.start + calls.offset) % line.step).toBe(0);
  const weeks = timeline(
    Calls.of({ ...snapshot, time: [0, 400 * DAY], codes: two(snapshot.codes), numbers: two(snapshot.numbers) }),
    Int32Array.of(0),
    "calls",
    70,
  ) as Timeline;
  expect(new Date(weeks.start + calls.offset).getUTCDay()).toBe(1);
});

const two = <T extends object>(columns: T) =>
  Object.fromEntries(Object.entries(columns).map(([name, each]) => [name, each.slice(0, 2)])) as T;

test("an empty ledger has no timeline, a single call has one step", () => {
  const cut = <T extends object>(columns: T, count: number) =>
    Object.fromEntries(Object.entries(columns).map(([name, each]) => [name, each.slice(0, count)])) as T;
  const of = (count: number) =>
    Calls.of({
      ...snapshot,
      time: snapshot.time.slice(0, count),
      codes: cut(snapshot.codes, count),
      numbers: cut(snapshot.numbers, count),
    });
  expect(timeline(of(0), new Int32Array(0), "tokens", 72)).toBeNull();
  expect(timeline(of(1), Int32Array.of(0), "calls", 72)).toMatchObject({ steps: 1 });
});

test("a range that was chosen is found again, whatever the steps", () => {
  const line = timeline(calls, all, "tokens", 30) as Timeline;
  expect(stepsOf(line, [beginning(line, 3), beginning(line, 7)])).toEqual([3, 7]);
  expect(stepsOf(line, [beginning(line, 3) + 1, beginning(line, 6) + 1])).toEqual([3, 7]);
  expect(stepsOf(line, null)).toEqual([0, line.steps]);
  expect(stepsOf(line, [0, 1])).toEqual([0, 0]);
});

test("an axis has round times, and no more than there is room for", () => {
  const line: Timeline = { start: 22 * HOUR, step: HOUR, steps: 40, series: [] };
  const found = ticks(line, 0, 4);
  expect(found.length).toBeLessThanOrEqual(4);
  expect(found.map(({ time, interval }) => tick(time, 0, interval))).toEqual(["01-02", "12:00", "01-03", "12:00"]);
});

test.each([
  ["ArrowRight", false, "start", [3, 5], [4, 5]],
  ["ArrowRight", false, "end", [2, 5], [2, 6]],
  ["ArrowLeft", false, "end", [4, 5], [4, 5]],
  ["ArrowLeft", false, "start", [0, 5], [0, 5]],
  ["ArrowRight", true, "start", [2, 5], [3, 6]],
  ["ArrowRight", true, "end", [7, 10], [7, 10]],
  ["Home", false, "start", [4, 6], [0, 6]],
  ["End", false, "start", [4, 6], [5, 6]],
  ["PageDown", false, "end", [2, 9], [2, 7]],
  ["a", false, "end", [2, 9], null],
] as const)("%s with shift %s on the %s of %j gives %j", (key, shift, thumb, steps, expected) => {
  expect(keyed(key, shift, thumb, steps, 10)).toEqual(expected);
});

test.each([
  ["a new range", null, 2.4, 5.2, [2, 6]],
  ["one to the left", null, 5.2, 2.4, [2, 6]],
  ["a click", null, 2.4, 2.4, [2, 3]],
  ["one beyond the end", null, 8.5, 14, [8, 10]],
  ["the start", [2, 6], 2.1, 4.2, [4, 6]],
  ["the end", [2, 6], 5.9, 1, [2, 3]],
  ["all of it", [2, 6], 4, 20, [6, 10]],
] as const)("the pointer draws %s", (_, steps, from, to, expected) => {
  const drag = grabbed(from, steps, 0.3);
  expect(dragged(drag, to, (steps ?? [0, 10]) as Steps, 10)).toEqual(expected);
});

test("moments are by the kernel's clock", () => {
  expect(at(0, HOUR, HOUR)).toBe("1970-01-01 01:00");
  expect(at(1000, 0, 1000)).toBe("1970-01-01 00:00:01");
  expect(at(0, -HOUR, DAY)).toBe("1969-12-31");
  expect([zone(0), zone(5.5 * HOUR), zone(-3 * HOUR)]).toEqual(["UTC", "UTC+5:30", "UTC−3"]);
});
