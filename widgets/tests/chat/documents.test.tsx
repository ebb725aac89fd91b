import { act, fireEvent, screen, within } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test } from "vitest";
import chat from "../../src/chat/index";
import type { ChatDocument } from "../../src/chat/types";
import type { FakeModel } from "../model";
import { chatDocument, drawn, model } from "./setup";

let fake: FakeModel;
let el: HTMLElement;
let end: () => void = () => {};

beforeEach(() => document.body.replaceChildren());
afterEach(() => act(() => end()));

async function open(documents: ChatDocument[] = []) {
  fake = model({ documents });
  el = document.body.appendChild(document.createElement("div"));
  act(() => {
    end = chat.render({ model: fake.model, el });
  });
  await drawn();
}

const button = (name: string) => screen.getByRole<HTMLButtonElement>("button", { name });
const chips = () => screen.getByRole("list", { name: "Documents that answers rest on" });
const answer = async (op: string, reply: Parameters<FakeModel["answer"]>[1]) => {
  act(() => fake.answer(op, reply));
  await drawn();
};
const tell = async (documents: ChatDocument[]) => {
  act(() => fake.set("documents", documents));
  await drawn();
};

async function choose(...files: File[]) {
  const input = el.querySelector<HTMLInputElement>("input[type=file]") as HTMLInputElement;
  Object.defineProperty(input, "files", { value: files, configurable: true });
  fireEvent.change(input);
  await drawn();
}

const key = () => String(fake.requests("upload").at(-1)?.args.key);

test("a document goes in pieces, each after the one before", async () => {
  await open();
  await choose(new File([new Uint8Array(300_000)], "a.pdf"));
  expect(fake.requests("upload")[0]?.args).toMatchObject({ name: "a.pdf", size: 300_000 });
  await tell([chatDocument("a.pdf", { key: key(), state: "uploading", done: 0, total: 300_000 })]);
  await answer("upload", { ok: true });
  expect(fake.requests("piece").map(({ args }) => args.at)).toEqual([0]);
  await answer("piece", { ok: 262_144 });
  expect(fake.requests("piece").map(({ args }) => args.at)).toEqual([0, 262_144]);
});

test("a document that is removed while it is uploaded sends no more", async () => {
  await open();
  await choose(new File([new Uint8Array(300_000)], "a.pdf"));
  await tell([chatDocument("a.pdf", { key: key(), state: "uploading", done: 0, total: 300_000 })]);
  await answer("upload", { ok: true });
  fireEvent.click(button("Remove a.pdf"));
  expect(fake.requests("unpick")[0]?.args).toEqual({ key: key() });
  await tell([]);
  await answer("piece", { ok: 262_144 });
  expect(fake.requests("piece").length).toBe(1);
});

test("one that is refused says why, and the next one goes on", async () => {
  await open();
  await choose(new File(["x"], "huge.zip"), new File(["y"], "b.txt"));
  const [first, second] = fake.requests("upload");
  await tell([chatDocument("b.txt", { key: String(second?.args.key), state: "uploading" })]);
  act(() => fake.receive({ id: first?.id, error: { message: "It is too large.", type: "too_large" } }));
  act(() => fake.receive({ id: second?.id, ok: true }));
  await drawn();
  expect(screen.getByRole("alert").textContent).toBe("It is too large.");
  expect(fake.requests("piece").map(({ args }) => args.key)).toEqual([second?.args.key]);
});

test("images and documents that come together part", async () => {
  await open();
  await choose(new File(["x"], "a.png", { type: "image/png" }), new File(["y"], "b.txt"));
  expect(screen.getByRole("list", { name: "Images to send" })).toBeTruthy();
  expect(fake.requests("upload").map(({ args }) => args.name)).toEqual(["b.txt"]);
});

test("chips tell how far documents are, with a bar where that can be counted", async () => {
  await open([
    chatDocument("a", { state: "uploading", done: 45, total: 100 }),
    chatDocument("b", { state: "embedding", done: 12, total: 40 }),
    chatDocument("c", { kind: "collection" }),
    chatDocument("d", { state: "reading" }),
  ]);
  const texts = within(chips()).getAllByRole("listitem");
  expect(texts.map((each) => each.querySelector(".ab-chip-state")?.textContent)).toEqual([
    "uploading 45%",
    "embedding 12 of 40",
    "collection",
    "reading",
  ]);
  expect(within(chips()).getAllByRole("progressbar").length).toBe(2);
});

test("a failed one shows its reason and can be tried again; readers hear of it", async () => {
  await open([chatDocument("a", { state: "reading" })]);
  await tell([chatDocument("a", { state: "failed", error: "It is damaged.", retry: true })]);
  expect(within(chips()).getByText("It is damaged.")).toBeTruthy();
  expect(screen.getByText("a failed. It is damaged.")).toBeTruthy();
  fireEvent.click(button("Process a again"));
  expect(fake.requests("reprocess")[0]?.args).toEqual({ key: "a" });
});

const LIBRARY = {
  collections: [{ id: "c1", name: "papers", files: 3 }],
  files: [{ id: "file_a", name: "a", size: 1200, status: "completed" }],
};

test("collections and files are ticked in the picker, and Escape leads back to its button", async () => {
  await open([chatDocument("a")]);
  fireEvent.click(button("Files"));
  await answer("library", { ok: LIBRARY });
  const boxes = screen.getAllByRole<HTMLInputElement>("checkbox");
  expect(boxes.map((each) => each.checked)).toEqual([false, true]);
  fireEvent.click(screen.getByRole("checkbox", { name: /papers/ }));
  expect(fake.requests("pick")[0]?.args).toEqual({ kind: "collection", name: "c1", picked: true });
  fireEvent.keyDown(screen.getByRole("group", { name: "Files and collections" }), { key: "Escape" });
  await drawn();
  expect(screen.queryByRole("checkbox")).toBeNull();
  expect(document.activeElement).toBe(button("Files"));
});

test("a box that the kernel refuses is as it was, with the reason", async () => {
  await open();
  fireEvent.click(button("Files"));
  await answer("library", { ok: LIBRARY });
  fireEvent.click(screen.getByRole("checkbox", { name: /papers/ }));
  await answer("pick", { error: { message: "It is gone.", type: "unknown" } });
  expect(screen.getByRole<HTMLInputElement>("checkbox", { name: /papers/ }).checked).toBe(false);
  expect(screen.getByRole("alert").textContent).toBe("It is gone.");
});

test("many are filtered by name", async () => {
  await open();
  fireEvent.click(button("Files"));
  const files = Array.from({ length: 12 }, (_, n) => ({ id: `${n}`, name: `file ${n}`, size: 1, status: "completed" }));
  await answer("library", { ok: { collections: [], files } });
  fireEvent.input(screen.getByRole("searchbox"), { target: { value: "FILE 11" } });
  expect(screen.getAllByRole("checkbox").length).toBe(1);
});
