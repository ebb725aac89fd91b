import { describe, expect, it } from "vitest";
import { chosen, grouped, limits, place } from "../../src/tuner/types";
import { ROWS, row } from "./rows";

const keys = (filter: string, onlyChanged = false) => chosen(ROWS, filter, onlyChanged).map((each) => each.field.key);

describe("which settings are shown", () => {
  it("finds every word in key, description, value or place", () => {
    expect(keys("title")).toEqual(["titleConvo", "titleTiming"]);
    expect(keys("MILLI stream")).toEqual(["streamRate"]);
    expect(keys("yaml:6")).toEqual(["streamRate"]);
    expect(keys("nowhere")).toEqual([]);
  });

  it("leaves what differs from the default, or is to", () => {
    expect(keys("", true)).toEqual(["streamRate"]);
    expect(chosen([row("a", { pending: true })], "", true)).toHaveLength(1);
  });

  it("keeps the order of the groups", () => {
    expect(grouped(ROWS).map(([group]) => group)).toEqual(["General", "Answers", "Titles", "Requests"]);
  });
});

describe("words", () => {
  it("says which numbers fit", () => {
    expect(limits(row("a", { field: { minimum: 0, maximum: 2 } }).field)).toBe("at least 0, at most 2");
    expect(limits(row("a", { field: { above: 0 } }).field)).toBe("more than 0");
  });

  it("says where a value is from", () => {
    expect(place({ text: "", layer: "default", origin: "built in", name: "" })).toBe("built in");
    expect(place({ text: "", layer: "all", origin: "a.yaml:3", name: "" })).toBe("all · a.yaml:3");
  });
});
