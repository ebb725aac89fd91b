// The dashboard as a person meets it, on a model with no kernel behind it.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Calls, type Snapshot } from "../../src/dashboard/calls";
import { choose } from "../../src/dashboard/choice";
import dashboard from "../../src/dashboard/index";
import { FakeModel } from "../model";

const { snapshot } = JSON.parse(readFileSync("tests/dashboard/ledger.json", "utf8")) as { snapshot: Snapshot };
const BUDGET = { name: "Notebook budget", limit_usd: 0.5, spent_usd: 0.48, left_usd: 0.02 };
const TRAITS = {
  rows: packed(snapshot),
  money: { budgets: [{ ...BUDGET, limit_tokens: null, spent_tokens: 9, left_tokens: null }], balance: null },
  trouble: "",
  selected: null,
  filters: {},
};

let ended: AbortController;
let model: FakeModel;

beforeEach(() => {
  ended = new AbortController();
});

afterEach(() => {
  ended.abort();
  cleanup();
  document.body.replaceChildren();
});

function packed(value: unknown): DataView {
  const data = gzipSync(JSON.stringify(value));
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}

async function show(traits: Record<string, unknown> = {}, exported = false) {
  model = new FakeModel({ ...TRAITS, ...traits });
  model.exported = exported;
  await mounted();
}

async function mounted() {
  const el = document.createElement("div");
  document.body.append(el);
  dashboard.render({ model: model.model, el, signal: ended.signal });
  await waitFor(() => expect(el.querySelector(".ab-spinner")).toBeNull());
  return within(el);
}

const figure = (name: string) => screen.getByText(name, { selector: "dt" }).nextElementSibling?.textContent;

test("the figures are those of all calls", async () => {
  await show();
  expect(figure("Calls")).toBe("200 of 200");
  expect(figure("Errors")).toBe("18");
  expect(screen.queryByText(/These are the newest/)).toBeNull();
});

const slider = (name: string) => screen.getByRole("slider", { name });
const place = (name: string) => Number(slider(name).getAttribute("aria-valuenow"));

test("keys move the ends of the range, and Escape clears it", async () => {
  await show();
  const [start, end] = ["Start of the range", "End of the range"];
  const steps = place(end);
  fireEvent.keyDown(slider(start), { key: "ArrowRight" });
  await waitFor(() => expect(place(start)).toBe(1));
  fireEvent.keyDown(slider(end), { key: "ArrowLeft" });
  await waitFor(() => expect(place(end)).toBe(steps - 1));
  const range = model.get("selected") as [number, number];
  const inside = choose(Calls.of(snapshot), { range, filters: {} }).length;
  expect(inside).toBeLessThan(200);
  expect(figure("Calls")).toBe(`${inside} of 200`);
  fireEvent.keyDown(slider(start), { key: "ArrowRight", shiftKey: true });
  await waitFor(() => expect([place(start), place(end)]).toEqual([2, steps]));
  fireEvent.keyDown(slider(start), { key: "Escape" });
  expect(model.get("selected")).toBeNull();
  expect(model.saved).toHaveLength(4);
});

/** Drag over the bars, which are 100 pixels wide here. */
function drag(from: number, to: number, pointerType: string) {
  const brush = document.querySelector(".ab-brush") as HTMLElement;
  brush.getBoundingClientRect = () => ({ left: 0, width: 100 }) as DOMRect;
  brush.setPointerCapture = () => {};
  const send = (type: string, clientX: number) =>
    fireEvent(brush, new PointerEvent(type, { clientX, button: 0, pointerId: 1, pointerType, bubbles: true }));
  send("pointerdown", from);
  send("pointermove", to);
  expect(model.get("selected")).toBeNull();
  send("pointerup", to);
}

test.each(["mouse", "touch", "pen"])(
  "a %s draws the range, which others learn when it lets go",
  async (pointerType) => {
    await show();
    drag(20, 60, pointerType);
    const range = model.get("selected") as [number, number];
    const inside = choose(Calls.of(snapshot), { range, filters: {} }).length;
    expect(inside / 200).toBeCloseTo(0.4, 1);
    await waitFor(() => expect(figure("Calls")).toBe(`${inside} of 200`));
  },
);

test("a row filters, a chip takes that back", async () => {
  await show();
  fireEvent.click(screen.getByRole("button", { name: "cloud/small" }));
  expect(model.get("filters")).toEqual({ model: ["cloud/small"] });
  expect(await screen.findByRole("button", { name: "✓ cloud/small", pressed: true })).toBeTruthy();
  expect(screen.getByRole("button", { name: "cloud/large", pressed: false })).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: /model: cloud.small.*remove/ }));
  expect(model.get("filters")).toEqual({});
});

test("two views of one model agree", async () => {
  await show({ filters: { endpoint: ["home"] }, selected: [0, 1] });
  const other = await mounted();
  expect(other.getByText("Calls").nextElementSibling?.textContent).toBe("0 of 200");
  fireEvent.click(other.getByRole("button", { name: "Show all" }));
  await waitFor(() => {
    const figures = screen.getAllByText("Calls").map((each) => each.nextElementSibling?.textContent);
    expect(figures).toEqual(["200 of 200", "200 of 200"]);
  });
});

test("calls that are made meanwhile are counted, once", async () => {
  await show();
  await waitFor(() => expect(model.requests("watch").at(-1)?.args).toEqual({ count: 201 }));
  const one = {
    ...snapshot,
    time: [(snapshot.time[0] as number) + 5],
    codes: first(snapshot.codes),
    numbers: first(snapshot.numbers),
  };
  const message = { event: "calls", from: 201, count: 202, whole: false, sums: { ...snapshot.sums, calls: 500 } };
  model.receive(message, [packed(one)]);
  model.receive(message, [packed(one)]);
  await waitFor(() => expect(figure("Calls")).toBe("201 of 201"));
  expect(screen.getByText(/These are the newest 201 of 500 calls/)).toBeTruthy();
});

test("a gap in what came is asked for", async () => {
  await show();
  await waitFor(() => expect(model.requests("watch")).toHaveLength(1));
  model.receive({ event: "calls", from: 210, count: 211, whole: false, sums: snapshot.sums }, [packed(snapshot)]);
  await waitFor(() => expect(model.requests("watch")).toHaveLength(2));
  expect(figure("Calls")).toBe("200 of 200");
});

test("what is new in all is taken in place of what was", async () => {
  await show();
  const message = { event: "calls", from: 300, count: 301, whole: true, sums: snapshot.sums };
  model.receive(message, [
    packed({ ...snapshot, time: [1], codes: first(snapshot.codes), numbers: first(snapshot.numbers) }),
  ]);
  await waitFor(() => expect(figure("Calls")).toBe("1 of 1"));
});

const first = <T extends object>(columns: T) =>
  Object.fromEntries(Object.entries(columns).map(([name, each]) => [name, each.slice(0, 1)])) as T;

test("an empty ledger says what to do", async () => {
  await show({ rows: packed({ ...snapshot, time: [], codes: none(snapshot.codes), numbers: none(snapshot.numbers) }) });
  expect(screen.getByText(/No calls yet/).textContent).toContain("%agent chat hello");
  expect(screen.getByLabelText("Notebook budget")).toBeTruthy();
});

const none = <T extends object>(columns: T) =>
  Object.fromEntries(Object.keys(columns).map((name) => [name, []])) as unknown as T;

test("a budget that is nearly spent is told in words", async () => {
  await show();
  expect(screen.getByText("nearly spent")).toBeTruthy();
  expect(screen.getByText("$0.48 of $0.50 spent, $0.02 left")).toBeTruthy();
});

test("without a kernel it counts all the same, and asks nobody", async () => {
  await show({}, true);
  expect(screen.getByText("as saved")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "cloud/small" }));
  await waitFor(() => expect(figure("Calls")).not.toBe("200 of 200"));
  expect(model.sent).toEqual([]);
});

test("each chart has a table", async () => {
  await show();
  for (const name of ["The tokens over time as a table", "The times as a table"]) {
    const details = screen.getByText(name).parentElement as HTMLDetailsElement;
    details.open = true;
    fireEvent(details, new Event("toggle"));
    await waitFor(() => expect(within(details).getAllByRole("row").length).toBeGreaterThan(2));
  }
});

test("trouble is shown", async () => {
  await show({ trouble: "The database is busy." });
  expect(screen.getByText("The database is busy.")).toBeTruthy();
});

test("names of models are text", async () => {
  const words = { ...snapshot.words, model: ["<img src=x onerror=alert(1)>", "cloud/small", "home/small"] };
  await show({ rows: packed({ ...snapshot, words }) });
  expect(document.querySelector("img")).toBeNull();
  expect(screen.getByText("<img src=x onerror=alert(1)>")).toBeTruthy();
});
