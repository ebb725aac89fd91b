import { describe, expect, it } from "vitest";
import { filtered, placeOf, prepare } from "../../src/inspector/filter";
import { runOf } from "../../src/inspector/run";
import { events, packedOf, timed } from "./streams";

describe("filter", () => {
  it("shows all where nothing is asked", () => {
    const run = timed();
    expect(filtered(run, new Set(), " ")).toHaveLength(run.events.length);
  });

  it("leaves out hidden types", () => {
    const found = filtered(timed(), new Set(["response.output_text.delta"]), "");
    expect(found).not.toContain(10);
    expect(found).toHaveLength(12);
  });

  it("finds text anywhere in the JSON, whatever its case", () => {
    expect(filtered(timed(), new Set(), "OSLO")).toEqual([5, 6, 12, 13]);
  });

  it("finds characters as they are, not as patterns", () => {
    expect(filtered(timed(), new Set(), "o.*o")).toEqual([]);
  });

  it("takes an event that is nested too deep to be written", () => {
    const deep: Record<string, unknown> = {};
    let inner = deep;
    for (let level = 0; level < 100_000; level++) {
      inner.a = {};
      inner = inner.a as Record<string, unknown>;
    }
    expect(filtered(runOf(packedOf([deep, { type: "x" }])), new Set(), "x")).toEqual([1]);
  });

  it("finds the same while the text is still being read", async () => {
    const run = runOf(packedOf(events(Array.from({ length: 5000 }, (_, index) => `word ${index} `))));
    const stop = prepare(run);
    const early = filtered(run, new Set(), "word 4999");
    await new Promise((resolve) => setTimeout(resolve, 100));
    stop();
    expect(filtered(run, new Set(), "word 4999")).toEqual(early);
    expect(early).toHaveLength(2);
  });

  it("takes less than 100 ms for 20,000 events", () => {
    const run = runOf(packedOf(events(Array.from({ length: 20_000 }, (_, index) => `word ${index} `))));
    filtered(run, new Set(), "warm");
    const start = performance.now();
    const found = filtered(run, new Set(["response.created"]), "word 19");
    expect(performance.now() - start).toBeLessThan(100);
    expect(found.length).toBe(1111 + 1);
  });
});

describe("the place of a number", () => {
  it.each([
    [-1, -1],
    [2, 0],
    [5, 1],
    [6, 1],
    [99, 2],
  ])("%d is %d", (wanted, place) => expect(placeOf([2, 5, 9], wanted)).toBe(place));
});
