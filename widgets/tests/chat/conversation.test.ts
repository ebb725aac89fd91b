import { beforeEach, expect, test, vi } from "vitest";
import { Conversation } from "../../src/chat/conversation";
import { Kernel } from "../../src/shared/kernel";
import type { FakeModel } from "../model";
import { block, drawn, model, turn } from "./setup";

let fake: FakeModel;
let conversation: Conversation;

function started(traits: Record<string, unknown>) {
  fake = model(traits);
  conversation = new Conversation(fake.model, new Kernel(fake.model));
  return conversation.start();
}

const ids = () => conversation.shown.map((each) => each.id);
const running = () => turn("2", { parent: "1", status: "running", blocks: [block({ html: ["<p>a</p>"] })] });

beforeEach(() => {
  started({ turns: [turn("1")] });
});

test("after mount the running turn is asked for, and shown whole", async () => {
  fake.answer("live", { ok: running() });
  await drawn();
  expect(ids()).toEqual(["1", "2"]);
});

test("messages change the running turn; its end moves it among the others once", () => {
  fake.receive({ event: "turn", turn: running() });
  fake.receive({ event: "grow", turn: "2", block: 0, from: 1, html: ["<p>b</p>"] });
  fake.receive({ event: "block", turn: "2", index: 1, block: block({ key: "c", kind: "call" }) });
  expect(conversation.live?.blocks.map((each) => each.html.length)).toEqual([2, 1]);
  const ended = turn("2", { parent: "1" });
  fake.receive({ event: "turn", turn: ended });
  expect(ids()).toEqual(["1", "2"]);
  fake.set("turns", [turn("1"), ended]);
  expect(ids()).toEqual(["1", "2"]);
  expect(conversation.live).toBeNull();
});

test("the model's slow copy doesn't undo what messages said", () => {
  fake.receive({ event: "turn", turn: running() });
  fake.receive({ event: "grow", turn: "2", block: 0, from: 1, html: ["<p>b</p>"] });
  fake.set("live", running());
  expect(conversation.live?.blocks[0]?.html.length).toBe(2);
});

test("a missed message makes it ask for the whole turn", async () => {
  fake.answer("live", { ok: running() });
  await drawn();
  fake.receive({ event: "grow", turn: "2", block: 0, from: 5, html: ["<p>f</p>"] });
  expect(fake.requests("live").length).toBe(2);
});

test("a message about an unknown turn makes it ask too, once at a time", () => {
  for (let count = 0; count < 5; count++) {
    fake.receive({ event: "grow", turn: "9", block: 0, from: 0, html: ["<p>f</p>"] });
  }
  expect(fake.requests("live").length).toBe(1);
});

test("a turn that ended is not lost before the model has it, but is when the branch is another", () => {
  fake.receive({ event: "turn", turn: turn("2", { parent: "1" }) });
  fake.set("live", null);
  expect(ids()).toEqual(["1", "2"]);
  fake.set("turns", [turn("1b")]);
  expect(ids()).toEqual(["1b"]);
});

test("a finished turn is renewed in its place", () => {
  fake.receive({ event: "turn", turn: turn("1", { siblings: ["1", "x"] }) });
  expect(conversation.shown[0]?.siblings).toEqual(["1", "x"]);
  expect(ids()).toEqual(["1"]);
});

test("earlier turns are fetched before the first, and counted off", async () => {
  const end = started({ turns: [turn("5", { parent: "4" })], earlier: 4 });
  const shown = conversation.showEarlier();
  expect(fake.requests("earlier")[0]?.args).toEqual({ before: "5", count: 50 });
  fake.answer("earlier", { ok: [turn("3"), turn("4", { parent: "3" })] });
  await shown;
  expect([ids(), conversation.earlier]).toEqual([["3", "4", "5"], 2]);
  end();
});

test("a turn that falls out of the newest stays in sight", () => {
  started({ turns: [turn("1"), turn("2", { parent: "1" })], earlier: 0 });
  fake.set("turns", [turn("2", { parent: "1" }), turn("3", { parent: "2" })]);
  expect(ids()).toEqual(["1", "2", "3"]);
});

test("many messages are drawn once", async () => {
  const draw = vi.fn();
  await drawn();
  conversation.subscribe(draw);
  fake.receive({ event: "turn", turn: running() });
  for (let count = 1; count < 20; count++) {
    fake.receive({ event: "grow", turn: "2", block: 0, from: count, html: ["<p>x</p>"] });
  }
  await drawn();
  expect(draw).toHaveBeenCalledTimes(1);
});

test("a conversation that has ended hears nothing", () => {
  const end = started({ turns: [turn("1")] });
  end();
  fake.receive({ event: "turn", turn: running() });
  expect(ids()).toEqual(["1"]);
});
