import { act, fireEvent, screen, within } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import chat from "../../src/chat/index";
import type { FakeModel } from "../model";
import { block, drawn, model, turn } from "./setup";

let fake: FakeModel;
let end: () => void = () => {};

beforeEach(() => {
  document.body.replaceChildren();
});

afterEach(() => act(() => end()));

async function open(traits: Record<string, unknown> = {}, exported = false) {
  fake = model(traits);
  fake.exported = exported;
  const el = document.body.appendChild(document.createElement("div"));
  act(() => {
    end = chat.render({ model: fake.model, el });
  });
  await drawn();
  return el;
}

const field = () => screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message" });
const button = (name: string) => screen.getByRole<HTMLButtonElement>("button", { name });
const write = (text: string) => fireEvent.input(field(), { target: { value: text } });
const click = async (name: string) => {
  fireEvent.click(button(name));
  await drawn();
};
const answer = async (op: string, reply: Parameters<FakeModel["answer"]>[1]) => {
  act(() => fake.answer(op, reply));
  await drawn();
};

test("Enter sends, and what was written goes once the kernel has it", async () => {
  await open();
  write("Hello");
  fireEvent.keyDown(field(), { key: "Enter" });
  expect(fake.requests("send")[0]?.args).toEqual({ text: "Hello", images: [] });
  expect(field().value).toBe("Hello");
  await answer("send", { ok: true });
  expect(field().value).toBe("");
});

test("Shift+Enter and an Enter of an input method don't send", async () => {
  await open();
  write("Hello");
  fireEvent.keyDown(field(), { key: "Enter", shiftKey: true });
  fireEvent.keyDown(field(), { key: "Enter", isComposing: true });
  fireEvent.keyDown(field(), { key: "Enter", keyCode: 229 });
  expect(fake.requests("send")).toEqual([]);
});

test("an error stands by the field, and what was written stays", async () => {
  await open();
  write("Hello");
  fireEvent.keyDown(field(), { key: "Enter" });
  await answer("send", { error: { message: "The budget is used up.", type: "budget" } });
  expect(screen.getByRole("alert").textContent).toBe("The budget is used up.");
  expect(field().value).toBe("Hello");
});

test("a question waits for a busy kernel, and isn't sent twice; what is written meanwhile stays", async () => {
  await open();
  write("Hello");
  fireEvent.keyDown(field(), { key: "Enter" });
  await drawn();
  fireEvent.keyDown(field(), { key: "Enter" });
  expect(screen.getByText("Waiting for the kernel. It may be busy with a cell.")).toBeTruthy();
  write("And then");
  await answer("send", { ok: true });
  expect(fake.requests("send").length).toBe(1);
  expect(field().value).toBe("And then");
});

test("a kernel that dies before it has a question leaves it in the field", async () => {
  await open();
  write("Hello");
  fireEvent.keyDown(field(), { key: "Enter" });
  act(() => fake.lose());
  await drawn();
  expect(screen.getByRole("alert").textContent).toContain("The connection to the kernel was lost");
  expect([field().value, button("Send").disabled]).toEqual(["Hello", false]);
});

test("blanks aren't sent, nor anything while an answer runs", async () => {
  await open();
  write("  \n");
  fireEvent.keyDown(field(), { key: "Enter" });
  write("Hello");
  act(() => fake.set("running", true));
  fireEvent.keyDown(field(), { key: "Enter" });
  expect(fake.requests("send")).toEqual([]);
  expect(field().value).toBe("Hello");
});

test("the button and Escape stop an answer", async () => {
  const el = await open({ running: true, live: turn("1", { status: "running", blocks: [] }) });
  await click("Stop");
  fireEvent.keyDown(within(el).getByRole("log"), { key: "Escape" });
  expect(fake.requests("stop").length).toBe(2);
});

test("the draft is kept in the model, and another view's is shown", async () => {
  await open({ draft: "half a" });
  expect(field().value).toBe("half a");
  write("half a thought");
  fireEvent.blur(field());
  expect(fake.saved.at(-1)?.draft).toBe("half a thought");
  act(() => fake.set("draft", "theirs"));
  expect(field().value).toBe("theirs");
});

test("an answer grows without drawing what is finished again", async () => {
  const el = await open({ turns: [turn("1")] });
  act(() => fake.receive({ event: "turn", turn: turn("2", { status: "running", blocks: [block()] }) }));
  await drawn();
  const finished = el.querySelector("[data-turn='1'] .ab-html p");
  const first = el.querySelector("[data-turn='2'] .ab-answer .ab-html p");
  act(() => fake.receive({ event: "grow", turn: "2", block: 0, from: 1, html: ["<p>More.</p>"] }));
  await drawn();
  expect(el.querySelector("[data-turn='1'] .ab-html p")).toBe(finished);
  expect(el.querySelector("[data-turn='2'] .ab-answer .ab-html p")).toBe(first);
  expect(screen.getByText("More.")).toBeTruthy();
});

test("screen readers hear the whole answer at its end, not its pieces", async () => {
  const el = await open();
  const said = () => el.querySelector("[aria-live=polite]")?.textContent;
  act(() => fake.receive({ event: "turn", turn: turn("1", { status: "running", blocks: [block()] }) }));
  await drawn();
  expect(said()).toBe("The model is answering.");
  act(() => fake.receive({ event: "turn", turn: turn("1") }));
  await drawn();
  expect(said()).toBe("The answer is: An answer.");
  expect(screen.getByRole("log").getAttribute("aria-live")).toBe("off");
});

test("a call is a row whose details come when it is opened", async () => {
  const result = { html: ["<p>12 rows</p>"], images: [], note: "cut" };
  const call = block({ kind: "call", name: "read", arguments: '{\n "path": "a"\n}', seconds: 0.5, result });
  const el = await open({ turns: [turn("1", { blocks: [call] })] });
  const details = el.querySelector<HTMLDetailsElement>(".ab-call details");
  expect(details?.querySelector("summary")?.textContent).toBe('read{ "path": "a" }done · 500 ms');
  expect(screen.queryByText("12 rows")).toBeNull();
  if (details) details.open = true;
  fireEvent(details as Element, new Event("toggle"));
  await drawn();
  expect(screen.getByText("12 rows")).toBeTruthy();
});

test("huge arguments are cut on the page", async () => {
  const call = block({ kind: "call", name: "bomb", arguments: "x".repeat(1_000_000) });
  const el = await open({ turns: [turn("1", { blocks: [call] })] });
  const details = el.querySelector<HTMLDetailsElement>(".ab-call details");
  if (details) details.open = true;
  fireEvent(details as Element, new Event("toggle"));
  await drawn();
  expect(el.textContent?.length).toBeLessThan(25_000);
  expect(el.textContent).toContain("980,000 more characters");
});

test("a call that waits takes the keyboard and is decided on; then the keyboard is in the field again", async () => {
  await open({ running: true });
  field().focus();
  const call = block({ kind: "call", name: "write_file", call_id: "c1", state: "waiting" });
  act(() => fake.receive({ event: "turn", turn: turn("1", { status: "running", blocks: [call] }) }));
  await drawn();
  expect(document.activeElement?.getAttribute("aria-label")).toBe("May write_file run?");
  await click("Deny");
  expect(fake.requests("approve")[0]?.args).toEqual({ call: "c1", granted: false });
  await answer("approve", { ok: true });
  expect(document.activeElement).toBe(field());
});

test("a call that waits doesn't take the keyboard from words being written", async () => {
  await open({ running: true });
  field().focus();
  write("next");
  const call = block({ kind: "call", name: "write_file", call_id: "c1", state: "waiting" });
  act(() => fake.receive({ event: "turn", turn: turn("1", { status: "running", blocks: [call] }) }));
  await drawn();
  expect(document.activeElement).toBe(field());
});

test("an earlier question is edited in its place", async () => {
  const question = { text: "Question 1", html: "", images: ["data:image/png;base64,AA"] };
  await open({ turns: [turn("1", { question })] });
  await click("Edit");
  const editor = screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Edit the question" });
  expect(document.activeElement).toBe(editor);
  fireEvent.input(editor, { target: { value: "Another question" } });
  await click("Ask again");
  expect(fake.requests("edit")[0]?.args).toEqual({ turn: "1", text: "Another question", images: question.images });
  await answer("edit", { ok: true });
  expect(screen.queryByRole("textbox", { name: "Edit the question" })).toBeNull();
  expect(document.activeElement).toBe(field());
});

test("Escape ends editing and changes nothing", async () => {
  await open({ turns: [turn("1")] });
  await click("Edit");
  fireEvent.keyDown(screen.getByRole("textbox", { name: "Edit the question" }), { key: "Escape" });
  await drawn();
  expect(screen.getByText("Question 1")).toBeTruthy();
  expect(fake.requests("edit")).toEqual([]);
});

test("branches are counted and switched, and the keyboard stays on the switch", async () => {
  await open({ turns: [turn("b", { siblings: ["a", "b", "c"] })] });
  expect(screen.getByText("2 / 3")).toBeTruthy();
  await click("Previous branch");
  expect(fake.requests("switch")[0]?.args).toEqual({ turn: "a" });
  await answer("switch", { ok: true });
  act(() => fake.set("turns", [turn("a", { siblings: ["a", "b", "c"] })]));
  await drawn();
  expect(screen.getByText("1 / 3")).toBeTruthy();
  expect(button("Previous branch").disabled).toBe(true);
  expect(document.activeElement).toBe(button("Next branch"));
});

test("a retry asks the same again", async () => {
  await open({ turns: [turn("1")] });
  await click("Retry");
  await click("Retry");
  expect(fake.requests("retry").map((each) => each.args)).toEqual([{ turn: "1" }]);
});

test("an error of an action stands in its turn", async () => {
  const el = await open({ turns: [turn("1"), turn("2", { parent: "1" })] });
  fireEvent.click(within(el.querySelector("[data-turn='1']") as HTMLElement).getByRole("button", { name: "Retry" }));
  await answer("retry", { error: { message: "Wait for the answer.", type: "x" } });
  expect(el.querySelector("[data-turn='1'] [role=alert]")?.textContent).toBe("Wait for the answer.");
});

test("copying takes the answer's Markdown", async () => {
  const written = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
  await open({ turns: [turn("1")] });
  await click("Copy");
  await answer("copy", { ok: { markdown: "**An** answer." } });
  expect(written).toHaveBeenCalledWith("**An** answer.");
  expect(button("Copied")).toBeTruthy();
  written.mockRestore();
});

test("where the clipboard is closed, copying says so", async () => {
  const written = vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new Error("denied"));
  document.execCommand = () => false;
  await open({ turns: [turn("1")] });
  await click("Copy");
  await answer("copy", { ok: { markdown: "x" } });
  expect(screen.getByRole("alert").textContent).toContain("Select the text, and copy it by hand.");
  written.mockRestore();
});

test("a title is renamed in its place; Escape keeps it", async () => {
  await open({ title: "Old name" });
  await click("Old name: rename");
  const name = screen.getByRole<HTMLInputElement>("textbox", { name: "Title" });
  fireEvent.input(name, { target: { value: "New name" } });
  fireEvent.keyDown(name, { key: "Enter" });
  await drawn();
  expect(fake.requests("rename").map((each) => each.args)).toEqual([{ title: "New name" }]);
  await click("Old name: rename");
  fireEvent.keyDown(screen.getByRole("textbox", { name: "Title" }), { key: "Escape" });
  await drawn();
  expect(fake.requests("rename").length).toBe(1);
});

test("agent and model are switched, and the agent's own model is named", async () => {
  await open();
  const models = screen.getByRole<HTMLSelectElement>("combobox", { name: "Model" });
  expect(models.options[0]?.text).toBe("openai/one (the agent's)");
  fireEvent.change(models, { target: { value: "openai/two" } });
  fireEvent.change(screen.getByRole("combobox", { name: "Agent" }), { target: { value: "b" } });
  expect(fake.requests("use").map((each) => each.args)).toEqual([{ model: "openai/two" }, { agent: "b" }]);
});

test("earlier turns are shown on demand", async () => {
  const el = await open({ turns: [turn("2", { parent: "1" })], earlier: 1 });
  await click("Show 1 earlier turn");
  await answer("earlier", { ok: [turn("1")] });
  expect(Array.from(el.querySelectorAll<HTMLElement>(".ab-turn"), (each) => each.dataset.turn)).toEqual(["1", "2"]);
  expect(screen.queryByRole("button", { name: /earlier/ })).toBeNull();
});

test("sources are listed, and only web addresses are links", async () => {
  const sources = [
    { title: "Guide", url: "https://example.org", quote: "Five folds." },
    { title: "Bad", url: "javascript:alert(1)", quote: "" },
  ];
  await open({ turns: [turn("1", { sources })] });
  expect(screen.getAllByRole("link").map((each) => each.textContent)).toEqual(["Guide"]);
  expect(screen.getByText("Bad")).toBeTruthy();
});

test("images from elsewhere aren't fetched", async () => {
  const images = ["https://example.org/track.png", "data:image/png;base64,AA", "javascript:alert(1)"];
  const el = await open({ turns: [turn("1", { blocks: [block({ images })] })] });
  expect(Array.from(el.querySelectorAll("img"), (each) => each.src)).toEqual(["data:image/png;base64,AA"]);
  expect(screen.getByRole("link").getAttribute("href")).toBe("https://example.org/track.png");
});

test("an exported page can be read, folded and copied from, and asks nobody", async () => {
  const written = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
  const blocks = [block({ kind: "reasoning", seconds: 2, html: ["<p>Hm.</p>"] }), block({ key: "b2" })];
  const el = await open({ title: "Kept", turns: [turn("1", { blocks, siblings: ["1", "2"] })], earlier: 3 }, true);
  expect(screen.queryAllByRole("textbox")).toEqual([]);
  expect(screen.getAllByRole("button").map((each) => each.textContent)).toEqual(["Copy"]);
  expect(el.textContent).toContain("3 earlier turns not shown");
  await click("Copy");
  expect(written.mock.calls[0]?.[0]).toContain("An answer.");
  expect(fake.sent).toEqual([]);
  written.mockRestore();
});
