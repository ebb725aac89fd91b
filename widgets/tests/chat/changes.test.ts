import { expect, test } from "vitest";
import { grown, leadingTo, placed, reused } from "../../src/chat/changes";
import { block, turn } from "./setup";

test("a growth replaces the tail and keeps the block before it", () => {
  const before = turn("t", { blocks: [block({ key: "a" }), block({ key: "b", html: ["1", "2", "3"] })] });
  const after = grown(before, { turn: "t", block: 1, from: 2, html: ["3+", "4"] });
  expect(after?.blocks[1]?.html).toEqual(["1", "2", "3+", "4"]);
  expect(after?.blocks[0]).toBe(before.blocks[0]);
});

test("a growth may shorten the answer", () => {
  const before = turn("t", { blocks: [block({ html: ["1", "2", "3"] })] });
  expect(grown(before, { turn: "t", block: 0, from: 1, html: ["2 and 3"] })?.blocks[0]?.html).toEqual(["1", "2 and 3"]);
});

test("a growth that something is missing before is none", () => {
  const before = turn("t", { blocks: [block({ html: ["1"] })] });
  expect(grown(before, { turn: "t", block: 0, from: 2, html: ["3"] })).toBeNull();
  expect(grown(before, { turn: "t", block: 1, from: 0, html: ["1"] })).toBeNull();
});

test("a block is put at the end or in another's place, and nowhere else", () => {
  const before = turn("t", { blocks: [block({ key: "a" })] });
  const next = block({ key: "b" });
  expect(placed(before, { turn: "t", index: 1, block: next })?.blocks.map((each) => each.key)).toEqual(["a", "b"]);
  expect(placed(before, { turn: "t", index: 0, block: next })?.blocks).toEqual([next]);
  expect(placed(before, { turn: "t", index: 2, block: next })).toBeNull();
});

test("a turn that says the same stays the same object", () => {
  const known = [turn("1"), turn("2")];
  const next = [turn("1"), turn("2", { note: "Stopped." })];
  const merged = reused(known, next);
  expect(merged[0]).toBe(known[0]);
  expect(merged[1]).toBe(next[1]);
});

test("known turns lead up to the first, those of another branch don't", () => {
  const known = [turn("1"), turn("2", { parent: "1" }), turn("2b", { parent: "1" }), turn("3", { parent: "2" })];
  const found = leadingTo([turn("3", { parent: "2" }), turn("4", { parent: "3" })], known);
  expect(found.map((each) => each.id)).toEqual(["1", "2"]);
});

test("turns that lead around in a circle end", () => {
  const known = [turn("1", { parent: "2" }), turn("2", { parent: "1" })];
  expect(leadingTo([turn("3", { parent: "2" })], known).map((each) => each.id)).toEqual(["1", "2"]);
});
