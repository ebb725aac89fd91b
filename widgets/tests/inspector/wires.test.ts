import { expect, it } from "vitest";
import { rowsOf } from "../../src/inspector/compare";
import { preview } from "../../src/inspector/protocols";
import { joined, received } from "../../src/inspector/wires";
import { timed } from "./streams";

it("links a frame as it came to the first event that came no earlier", () => {
  const frames = [0, 0.1, 0.15, 9].map((seconds) => ({ seconds, text: "data: {}" }));
  const run = timed(undefined, { frames });
  expect(received(run).map(({ index }) => index)).toEqual([0, 1, 2, run.events.length - 1]);
});

it("joins frames to one text, a line each", () => {
  const frames = ["data: 1\n\n", "data: 2"].map((text, index) => ({ index, text }));
  expect(joined(frames)).toBe("data: 1\n\ndata: 2\n");
  expect(joined(frames, 4)).toBe("data");
});

it("tells of a frame what the one before has not", () => {
  const frame = (n: number, delta: string) => ({
    index: n,
    text: `data: {"type":"x","n":${n},"id":"m","delta":"${delta}"}`,
  });
  const frames = [frame(1, "one"), frame(2, "two"), frame(2, "two")];
  expect(preview(frames, 0)).toBe('data: {"type":"x","n":1,"id":"m","delta":"one"}');
  expect(preview(frames, 1)).toBe('… "n":2 … "delta":"two"}');
  expect(preview(frames, 2)).toBe('data: {"type":"x","n":2,"id":"m","delta":"two"}');
});

it("compares two runs", () => {
  const rows = rowsOf(timed(), timed(["Sun."]));
  const values = Object.fromEntries(rows.map((row) => [row.name, row.values]));
  expect(values["characters of text"]).toEqual([13, 4]);
  expect(values.duration?.[0]).toBeCloseTo(1.4);
  expect(values.calls).toEqual([1, 1]);
});
