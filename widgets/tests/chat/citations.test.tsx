import { act, fireEvent, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test } from "vitest";
import { markCitations } from "../../src/chat/cited";
import chat from "../../src/chat/index";
import type { Passage } from "../../src/chat/types";
import type { FakeModel } from "../model";
import { block, drawn, model, turn } from "./setup";

const PASSAGES: Passage[] = [
  { n: 1, title: "a <b>.pdf, page 3", url: null, score: 0.0325, text: "It <i>dives</i>." },
  { n: 2, title: "page · Speed", url: "https://example.org/p", score: 0.01, text: "Fast." },
];
const SEARCH = block({
  key: "s",
  kind: "search",
  html: [],
  found: { line: "Searched 9 passages in 12 ms", passages: PASSAGES },
});
const SOURCES = [
  { title: "a <b>.pdf, page 3", url: null, quote: "", n: 1, cited: true },
  { title: "page · Speed", url: "https://example.org/p", quote: "", n: 2, cited: false },
];
let fake: FakeModel;
let end: () => void = () => {};

beforeEach(() => document.body.replaceChildren());
afterEach(() => act(() => end()));

async function open(exported = false) {
  const blocks = [SEARCH, block({ html: ["<p>Fast [1], [7].</p>"] })];
  fake = model({ turns: [turn("t", { blocks, sources: SOURCES })] });
  fake.exported = exported;
  const el = document.body.appendChild(document.createElement("div"));
  act(() => {
    end = chat.render({ model: fake.model, el });
  });
  await drawn();
  return el;
}

function marked(html: string): string[] {
  const box = document.createElement("div");
  box.innerHTML = html;
  const before = box.textContent;
  markCitations(box, PASSAGES);
  markCitations(box, PASSAGES);
  expect(box.textContent).toBe(before);
  return [...box.querySelectorAll(".ab-cite")].map((each) => each.textContent ?? "");
}

test.each([
  ["<p>One [1] and <b>two [2]</b>.</p>", ["[1]", "[2]"]],
  ["<p>[1, 2] and [2,9]</p>", ["1", "2", "2"]],
  ["<p>[3] [0] [01] [] [a] [1</p>", []],
  ["<pre><code>a[1]</code></pre><p><code>b[2]</code> <a>[1]</a></p>", []],
  ["<p>plain</p>", []],
])("numbers of passages become buttons, once, and no others: %s", (html, buttons) => {
  expect(marked(html)).toEqual(buttons);
});

test("the search is one line, with what was found folded", async () => {
  const el = await open();
  expect(screen.getByText("Searched 9 passages in 12 ms")).toBeTruthy();
  const fold = el.querySelector("details.ab-call") as HTMLDetailsElement;
  fold.open = true;
  fireEvent(fold, new Event("toggle"));
  await drawn();
  expect([...fold.querySelectorAll("li")].map((each) => each.textContent)).toEqual([
    "[1] a <b>.pdf, page 3 score 0.0325",
    "[2] page · Speed score 0.01",
  ]);
});

test("sources are listed once each, those not cited marked, web pages linked", async () => {
  await open();
  const list = screen.getByRole("region", { name: "Sources" });
  expect([...list.querySelectorAll("li")].map((each) => each.textContent)).toEqual([
    "[1] a <b>.pdf, page 3",
    "[2] page · Speed not cited web page",
  ]);
  expect(list.querySelector("a")?.href).toBe("https://example.org/p");
});

test("a citation shows the passage in its place, and Escape doesn't stop an answer", async () => {
  const el = await open();
  fireEvent.click(screen.getByRole("button", { name: "Source 1: a <b>.pdf, page 3" }));
  await drawn();
  expect(fake.requests("passage")[0]?.args).toEqual({ turn: "t", number: 1 });
  act(() => fake.answer("passage", { ok: { before: "Before. ", text: "It dives.", after: " After.", note: "" } }));
  await drawn();
  const dialog = screen.getByRole<HTMLDialogElement>("dialog");
  expect(dialog.querySelector(".ab-passage-text")?.textContent).toBe("Before. It dives. After.");
  expect(dialog.querySelector("mark")?.textContent).toBe("It dives.");
  fireEvent.keyDown(dialog, { key: "Escape" });
  expect(fake.requests("stop")).toEqual([]);
  act(() => dialog.close());
  await drawn();
  expect(el.querySelector("dialog")).toBeNull();
});

test("without a kernel the passage is shown as the model read it", async () => {
  await open(true);
  fireEvent.click(screen.getByRole("button", { name: "Source 1: a <b>.pdf, page 3" }));
  await drawn();
  expect(screen.getByRole("dialog").querySelector("mark")?.textContent).toBe("It <i>dives</i>.");
  expect(fake.sent).toEqual([]);
});

test("where the kernel doesn't know the passage any more, it says so beside it", async () => {
  await open();
  fireEvent.click(screen.getByRole("button", { name: "Source 1: a <b>.pdf, page 3" }));
  await drawn();
  act(() => fake.answer("passage", { error: { message: "There is no turn 't'.", type: "unknown" } }));
  await drawn();
  expect(screen.getByText("There is no turn 't'.")).toBeTruthy();
  expect(screen.getByText("It <i>dives</i>.")).toBeTruthy();
});
