// A conversation's values for the tests of its view.

import { act } from "@testing-library/preact";
import type { Block, ChatDocument, Turn } from "../../src/chat/types";
import { FakeModel } from "../model";

export function block(more: Partial<Block> = {}): Block {
  return {
    key: "b1",
    kind: "text",
    html: ["<p>An answer.</p>"],
    name: "",
    arguments: "",
    seconds: null,
    state: "done",
    call_id: "",
    images: [],
    note: "",
    result: null,
    ...more,
  };
}

export function turn(id: string, more: Partial<Turn> = {}): Turn {
  return {
    id,
    parent: null,
    question: { text: `Question ${id}`, html: `<p>Question ${id}</p>`, images: [] },
    blocks: [block()],
    status: "completed",
    note: "",
    usage: { line: "3 → 4 tokens", input: 3, output: 4, cost: null, seconds: 1, first: null },
    siblings: [id],
    agent: "a",
    model: "openai/one",
    at: "2020-02-03T12:00:00Z",
    sources: [],
    ...more,
  };
}

export function chatDocument(name: string, more: Partial<ChatDocument> = {}): ChatDocument {
  return {
    key: name,
    kind: "file",
    id: `file_${name}`,
    name,
    state: "ready",
    done: 1,
    total: 1,
    error: "",
    retry: false,
    ...more,
  };
}

export function model(traits: Record<string, unknown> = {}): FakeModel {
  const agents = [
    { id: "a", name: "Research", model: "openai/one", images: true },
    { id: "b", name: "Writer", model: "openai/two", images: false },
  ];
  const totals = { turns: 0, line: "no tokens yet" };
  const rest = { title: null, conversation: "c", agent: "a", model: "", models: ["openai/one", "openai/two"] };
  return new FakeModel({
    ...rest,
    agents,
    totals,
    turns: [],
    earlier: 0,
    live: null,
    running: false,
    draft: "",
    documents: [],
    ...traits,
  });
}

/** Wait until the view has drawn what it was told. */
export async function drawn(): Promise<void> {
  await act(() => new Promise<void>((resolve) => setTimeout(resolve, 40)));
}
