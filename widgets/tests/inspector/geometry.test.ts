import { describe, expect, it } from "vitest";
import { bins, densityPath, gapPath, gaps, nearest, ticks, tickText, WIDTH } from "../../src/inspector/geometry";
import { timed } from "./streams";

describe("bins", () => {
  it("counts events by the stretch of time they fall into", () => {
    expect([...bins([0, 1, 2, 3], [0, 0.1, 0.9, 1], 1, 4)]).toEqual([2, 0, 0, 2]);
  });

  it("counts every event once", () => {
    const scale = Array.from({ length: 1000 }, (_, index) => Math.sqrt(index));
    const found = bins([...scale.keys()], scale, scale.at(-1) ?? 1, 37);
    expect(found.reduce((sum, each) => sum + each)).toBe(1000);
  });
});

describe("density", () => {
  it("is one path with a step for each stretch that has deltas", () => {
    const run = timed();
    const path = densityPath(run.lanes[3] as never, run, run.end);
    expect(path.match(/M/g)).toHaveLength(3);
  });

  it("is empty for an item without deltas", () => {
    const run = timed();
    expect(densityPath(run.lanes[2] as never, run, run.end)).toBe("");
  });
});

describe("gaps", () => {
  it("are longer than 200 ms, the wait for the first event among them", () => {
    expect(gaps([0.3, 0.5, 0.9, 1])).toEqual([
      { from: 0, to: 0.3 },
      { from: 0.5, to: 0.9 },
    ]);
  });

  it("are drawn within the width", () => {
    expect(gapPath([{ from: 0.5, to: 1 }], 1)).toBe(`M${WIDTH / 2} 0H${WIDTH}V20H${WIDTH / 2}z`);
  });
});

describe("ticks", () => {
  it.each([
    [1.8, [0, 0.5, 1, 1.5]],
    [60, [0, 10, 20, 30, 40, 50, 60]],
    [0.003, [0, 0.0005, 0.001, 0.0015, 0.002, 0.0025, 0.003]],
  ])("of %d s are round", (end, expected) => {
    const found = ticks(end);
    expect(found).toHaveLength(expected.length);
    for (const [index, value] of found.entries()) expect(value).toBeCloseTo(expected[index] as number, 9);
  });
});

it.each([0.0007, 0.003, 0.0061, 0.4, 3, 200])("tells the ticks of %d s apart", (end) => {
  const texts = ticks(end).map((value) => tickText(value, end));
  expect(new Set(texts).size).toBe(texts.length);
});

describe("the nearest event", () => {
  const scale = [0, 0.1, 0.2, 0.9];

  it.each([
    [0, 0],
    [0.14, 1],
    [0.5, 2],
    [0.6, 3],
    [5, 3],
  ])("to %d s is %d", (seconds, place) => expect(nearest([0, 1, 2, 3], scale, seconds)).toBe(place));

  it("of none is the first place", () => expect(nearest([], scale, 1)).toBe(0));
});
