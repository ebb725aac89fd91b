import { act, fireEvent, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import chat from "../../src/chat/index";
import type { FakeModel } from "../model";
import { block, drawn, model, turn } from "./setup";

let fake: FakeModel;
let end: () => void = () => {};
const revoked = vi.fn();

beforeEach(() => {
  document.body.replaceChildren();
  vi.stubGlobal("IntersectionObserver", undefined);
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => `blob:${(blob as Blob).type}-${(blob as Blob).size}`);
  vi.spyOn(URL, "revokeObjectURL").mockImplementation(revoked);
});

afterEach(() => {
  act(() => end());
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  revoked.mockClear();
});

async function open(images: string[], exported = false) {
  const result = { html: [], images: ["held:0"], note: "" };
  const call = block({ key: "c", kind: "call", name: "draw", call_id: "c1", result });
  const question = { text: "Look", html: "", images };
  fake = model({ turns: [turn("1", { question, blocks: [call] })] });
  fake.exported = exported;
  const el = document.body.appendChild(document.createElement("div"));
  act(() => {
    end = chat.render({ model: fake.model, el });
  });
  await drawn();
  return el;
}

const bring = async (bytes: number) => {
  act(() => fake.answer("image", { ok: { type: "image/png" } }, [new DataView(new ArrayBuffer(bytes))]));
  await drawn();
};
const sources = (el: HTMLElement) => Array.from(el.querySelectorAll("img"), (each) => each.getAttribute("src"));

test("large images are fetched one after the other, shown, and given back", async () => {
  const el = await open(["data:image/png;base64,AA", "held:1", "held:2"]);
  expect(fake.requests("image").map((each) => each.args)).toEqual([{ turn: "1", index: 1, call: "" }]);
  expect(screen.getByRole("img", { name: "Image in the question 2, loading" })).toBeTruthy();
  await bring(3);
  expect(fake.requests("image")[1]?.args).toEqual({ turn: "1", index: 2, call: "" });
  await bring(4);
  expect(sources(el)).toEqual(["data:image/png;base64,AA", "blob:image/png-3", "blob:image/png-4"]);
  act(() => end());
  expect(revoked.mock.calls).toEqual([["blob:image/png-3"], ["blob:image/png-4"]]);
});

test("an image of a result is its call's", async () => {
  const el = await open([]);
  const details = el.querySelector<HTMLDetailsElement>(".ab-call details");
  if (details) details.open = true;
  fireEvent(details as Element, new Event("toggle"));
  await drawn();
  expect(fake.requests("image").map((each) => each.args)).toEqual([{ turn: "1", index: 0, call: "c1" }]);
});

test("an image that didn't come can be asked for again", async () => {
  const el = await open(["held:0"]);
  act(() => fake.answer("image", { error: { message: "That image isn't here.", type: "x" } }));
  await drawn();
  const button = screen.getByRole("button", { name: "Load the image" });
  expect(button.title).toBe("That image isn't here.");
  fireEvent.click(button);
  await drawn();
  await bring(5);
  expect(sources(el)).toEqual(["blob:image/png-5"]);
});

test("an edited question keeps its large images, but those that were removed", async () => {
  await open(["held:0", "held:1"]);
  fireEvent.click(screen.getByRole("button", { name: "Edit" }));
  await drawn();
  fireEvent.click(screen.getByRole("button", { name: "Remove image 1" }));
  await drawn();
  fireEvent.click(screen.getByRole("button", { name: "Ask again" }));
  expect(fake.requests("edit")[0]?.args).toEqual({ turn: "1", text: "Look", images: ["held:1"] });
});

test("an exported page asks for none", async () => {
  await open(["held:0"], true);
  expect(screen.getByText("Image in the question: not in this page")).toBeTruthy();
  expect(fake.sent).toEqual([]);
});
