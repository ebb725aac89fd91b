import { describe, expect, it } from "vitest";
import { piece, runOf } from "../../src/inspector/run";
import { events, packedOf, timed } from "./streams";

describe("lanes", () => {
  it("has one for each output item, named by what it is", () => {
    const labels = timed().lanes.map(({ label }) => label);
    expect(labels).toEqual(["0 reasoning", "1 call weather", "2 result weather", "3 message"]);
  });

  it("knows where an item begins, grows and ends", () => {
    const [reasoning, , result] = timed().lanes;
    expect([reasoning?.begin, reasoning?.first, reasoning?.end, reasoning?.deltas]).toEqual([1, 2, 3, 1]);
    expect([result?.begin, result?.first, result?.end, result?.deltas]).toEqual([7, null, 8, 0]);
  });

  it("leaves out the events of the whole response", () => {
    const run = timed();
    expect([...run.laneOf].filter((lane) => lane === -1)).toHaveLength(2);
  });

  it("tells items apart by their id where a stream has no indexes", () => {
    const broken = [
      { type: "x.delta", item_id: "a" },
      { type: "x.delta", item_id: "b" },
      { type: "x.delta", item_id: "a" },
    ];
    expect([...runOf(packedOf(broken)).laneOf]).toEqual([0, 1, 0]);
  });
});

describe("a stranger's events", () => {
  it.each([[{}], [{ type: 7, output_index: "x", item: [] }], [{ type: null, response: 3, delta: {} }]])(
    "takes %j",
    (event) => {
      const run = runOf(packedOf([event], [Number.NaN]));
      expect(run.scale).toEqual([0]);
      expect(piece(event)).toBe("");
    },
  );

  it("never goes back in time", () => {
    expect(runOf(packedOf([{}, {}, {}], [0.5, 0.2, 0.7])).scale).toEqual([0.5, 0.5, 0.7]);
  });
});

it("is evenly spaced where nobody measured", () => {
  const run = runOf(packedOf(events()));
  expect(run.measured).toBe(false);
  expect(run.scale.slice(0, 3)).toEqual([0, 0.05, 0.1]);
});

it("counts types, tokens and the first token", () => {
  const run = timed();
  expect(run.counts[0]).toEqual(["response.output_item.added", 4]);
  expect(run.tokens).toEqual({ input: 12, output: 7 });
  expect(run.firstToken).toBe(2);
});

it("finds the violations of an event", () => {
  const violation = { rule: "parts-done", sentence: "", message: "m", event: 3, frame: null };
  const run = runOf(packedOf(events(), [], { violations: [violation, violation] }));
  expect(run.broken.get(3)).toHaveLength(2);
});
