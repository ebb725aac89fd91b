import { describe, expect, it } from "vitest";
import { advanced, Growing, standing, stepped } from "../../src/inspector/replay";
import { runOf } from "../../src/inspector/run";
import { packedOf, timed } from "./streams";

const run = timed();
const last = run.events.length - 1;

describe("the clock", () => {
  it("respects the times of the events", () => {
    expect(advanced(run, { index: -1, seconds: 0 }, 250, 1)).toEqual({ index: 2, seconds: 0.25 });
  });

  it("runs at a multiple of the speed", () => {
    expect(advanced(run, standing(run, 0), 50, 20).index).toBe(10);
  });

  it("stops at the end", () => {
    expect(advanced(run, standing(run, 5), 60_000, 1)).toEqual({ index: last, seconds: run.end });
  });

  it("goes on after the end for a longer run beside", () => {
    expect(advanced(run, standing(run, last), 1000, 1, 9).seconds).toBeCloseTo(run.end + 1);
  });
});

describe("steps", () => {
  it("go to the event after and before", () => {
    expect(stepped(run, standing(run, 3), 1)).toEqual({ index: 4, seconds: 0.4 });
    expect(stepped(run, standing(run, 3), -1).index).toBe(2);
  });

  it("stay within the run", () => {
    expect(stepped(run, standing(run, last), 1).index).toBe(last);
    expect(stepped(run, standing(run, 0), -1).index).toBe(0);
  });

  it("begin at either end of the whole run", () => {
    const whole = { index: null, seconds: run.end };
    expect(stepped(run, whole, 1).index).toBe(0);
    expect(stepped(run, whole, -1).index).toBe(last);
  });

  it("take events of one moment one by one", () => {
    const burst = runOf(packedOf([{}, {}, {}], [0.1, 0.1, 0.1]));
    expect(stepped(burst, standing(burst, 0), 1).index).toBe(1);
  });
});

describe("the growing answer", () => {
  const texts = (index: number | null, growing = new Growing(run)) => growing.at(index).map(({ text }) => text);

  it("has nothing before the first item", () => expect(texts(0)).toEqual([]));

  it("grows by each delta", () => {
    expect(texts(11)).toEqual(["Look it up.", '{"city":"Oslo"}', "4 degrees", "Rain in "]);
  });

  it("is whole in the end, and every item done", () => {
    const blocks = new Growing(run).at(null);
    expect(blocks.at(-1)).toMatchObject({ text: "Rain in Oslo.", done: true });
  });

  it("goes back as well as forth", () => {
    const growing = new Growing(run);
    const forth = texts(11, growing);
    growing.at(null);
    expect(texts(11, growing)).toEqual(forth);
  });

  it("takes the words of an item that came without deltas", () => {
    const item = { type: "message", content: [{ text: "One." }, { refusal: "Two." }] };
    const whole = runOf(packedOf([{ type: "response.output_item.done", output_index: 0, item }]));
    expect(texts(null, new Growing(whole))).toEqual(["One.\n\nTwo."]);
  });

  it("parts are a blank line apart", () => {
    const part = { type: "response.content_part.added", output_index: 0 };
    const text = (delta: string) => ({ type: "response.output_text.delta", output_index: 0, delta });
    const parts = runOf(packedOf([part, text("a"), part, text("b")]));
    expect(texts(null, new Growing(parts))).toEqual(["a\n\nb"]);
  });
});
