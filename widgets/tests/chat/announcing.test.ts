import { expect, test } from "vitest";
import { spoken } from "../../src/chat/announcing";
import { block, turn } from "./setup";

const running = turn("t", { status: "running" });

test("the beginning is said once", () => {
  expect(spoken(undefined, running)).toBe("The model is answering.");
  expect(spoken(running, { ...running, blocks: [block({ html: ["<p>more</p>"] })] })).toBe("");
});

test("the answer is read when it is whole, as text, without what the model thought", () => {
  const blocks = [block({ kind: "reasoning", html: ["<p>Hm.</p>"] }), block({ html: ["<p>It is <b>42</b>.</p>"] })];
  expect(spoken(running, turn("t", { blocks }))).toBe("The answer is: It is 42.");
});

test("a long answer is read up to the end of a sentence", () => {
  const blocks = [block({ html: [`<p>${"A sentence. ".repeat(200)}</p>`] })];
  const words = spoken(running, turn("t", { blocks }));
  expect(words.length).toBeLessThan(900);
  expect(words).toMatch(/A sentence\. The rest is in the conversation\.$/);
});

test.each([
  ["failed", "The answer failed. The endpoint is gone."],
  ["stopped", "The answer was stopped. The endpoint is gone."],
] as const)("an answer that %s is told of with its note", (status, words) => {
  expect(spoken(running, turn("t", { status, note: "The endpoint is gone." }))).toBe(words);
});

test("a call that waits is said once", () => {
  const call = block({ kind: "call", name: "write_file", state: "waiting" });
  const waiting = turn("t", { status: "running", blocks: [call] });
  expect(spoken(running, waiting)).toBe("write_file waits for your approval.");
  expect(spoken(waiting, waiting)).toBe("");
});

test("a finished turn of another branch isn't read out", () => {
  expect(spoken(turn("other"), turn("t"))).toBe("");
});

test("a turn that ends at once is announced", () => {
  const now = turn("t", { status: "failed", note: "There is no key.", at: new Date().toISOString() });
  expect(spoken(turn("other"), now)).toBe("The answer failed. There is no key.");
  expect(spoken(undefined, now)).toBe("The answer failed. There is no key.");
});
