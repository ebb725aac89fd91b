import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import inspector from "../../src/inspector/index";
import { FakeModel } from "../model";
import { events, gzipped, packedOf } from "./streams";

let el: HTMLElement;
let end: () => void;

beforeEach(() => {
  el = document.createElement("div");
  document.body.append(el);
});

afterEach(() => {
  end?.();
  el.remove();
  cleanup();
  vi.restoreAllMocks();
});

const made = events();
const times = made.map((_, index) => index / 10);
const listed = [
  { id: "resp_1", source: "scripted/plain", at: "2026-11-23T12:00:00Z", words: "Why?", status: "completed" },
];

async function opened(traits: Record<string, unknown> = {}, packed = packedOf(made, times)) {
  const model = new FakeModel({ run: await gzipped(packed), other: null, runs: [], wires: null, ...traits });
  return shown(model);
}

async function shown(model: FakeModel) {
  end = inspector.render({ model: model.model, el }) as () => void;
  await waitFor(() => screen.getAllByText(/scripted\/plain/));
  return model;
}

const tab = (name: string | RegExp) => fireEvent.click(screen.getByRole("tab", { name }));
const rows = (name: string) => within(screen.getByRole("listbox", { name })).getAllByRole("option");

describe("a run", () => {
  it("is told in one line", async () => {
    await opened();
    expect(el.querySelector(".abi-summary")?.textContent).toMatch(/completed.*200 ms.*1.40 s.*12 in, 7 out/);
  });

  it("has a lane an item and a row an event", async () => {
    await opened();
    expect(rows("Output items of the run")).toHaveLength(4);
    expect(rows("Events")).toHaveLength(made.length);
  });

  it("shows an event's JSON when it is chosen", async () => {
    await opened();
    fireEvent.click(rows("Events")[5] as HTMLElement);
    const detail = screen.getByLabelText("JSON of event 5");
    expect(detail.textContent).toContain("response.function_call_arguments.delta");
  });

  it("says so when there is no event", async () => {
    await opened({}, packedOf([]));
    expect(screen.getByText("No event has come.")).toBeTruthy();
  });

  it("that can't be read says why", async () => {
    const model = new FakeModel({ run: new DataView(new ArrayBuffer(4)), other: null, runs: [], wires: null });
    end = inspector.render({ model: model.model, el }) as () => void;
    await waitFor(() => screen.getByText(/This run can't be read/));
  });
});

describe("the filter", () => {
  it("hides types and finds text", async () => {
    await opened();
    fireEvent.click(screen.getByLabelText(/response.output_text.delta/));
    expect(rows("Events")).toHaveLength(12);
    fireEvent.input(screen.getByRole("searchbox"), { target: { value: "degrees" } });
    expect(rows("Events")).toHaveLength(2);
    expect(screen.getByText("2 of 15 events")).toBeTruthy();
  });
});

it("folds the types away on Escape", async () => {
  await opened();
  const details = el.querySelector<HTMLDetailsElement>(".abi-types") as HTMLDetailsElement;
  details.open = true;
  fireEvent.keyDown(screen.getByRole("button", { name: "None" }), { key: "Escape" });
  expect(details.open).toBe(false);
});

describe("replay", () => {
  it("steps event by event with the arrow keys", async () => {
    await opened();
    const list = screen.getByRole("listbox", { name: "Events" });
    fireEvent.keyDown(list, { key: "ArrowRight" });
    fireEvent.keyDown(list, { key: "ArrowRight" });
    expect(screen.getByText("0.100 s, event 1 of 14")).toBeTruthy();
    fireEvent.keyDown(list, { key: "ArrowLeft" });
    expect(screen.getByText("0.000 s, event 0 of 14")).toBeTruthy();
  });

  it("shows the answer as it stood", async () => {
    await opened();
    tab("Answer");
    fireEvent.input(screen.getByRole("slider"), { target: { value: "1.12" } });
    expect(el.querySelector(".abi-message .abi-words")?.textContent).toBe("Rain in ");
  });

  it("plays and pauses with the space key, and keeps the answer growing", async () => {
    await opened();
    tab("Answer");
    const text = screen.getByLabelText("The answer so far");
    fireEvent.change(screen.getByLabelText("Speed"), { target: { value: "20" } });
    fireEvent.keyDown(text, { key: " " });
    expect(screen.getByRole("button", { name: "Pause" })).toBeTruthy();
    await waitFor(() => screen.getByText("Rain in Oslo."));
    await waitFor(() => screen.getByRole("button", { name: "Play" }));
  });

  it("leaves the space key to buttons", async () => {
    await opened();
    fireEvent.keyDown(screen.getByRole("button", { name: "Next event" }), { key: " " });
    expect(screen.getByRole("button", { name: "Play" })).toBeTruthy();
  });
});

describe("the grammar", () => {
  it("leads from a frame's violation to the event that it brought", async () => {
    const violation = { rule: "frame-event", sentence: "The `event` line.", message: "Wrong.", event: null, frame: 1 };
    const frames = [0, 0.35].map((seconds) => ({ seconds, text: "data: {}" }));
    await opened({}, packedOf(made, times, { violations: [violation], violation_count: 1, frames }));
    tab("Grammar (1)");
    expect(screen.getByText("event").tagName).toBe("CODE");
    fireEvent.click(screen.getByRole("button", { name: "frame 1" }));
    expect(screen.getByLabelText("JSON of event 4")).toBeTruthy();
  });

  it("says how many rules hold", async () => {
    await opened();
    tab("Grammar");
    expect(screen.getByText("No violation: 58 rules checked.")).toBeTruthy();
  });

  it("leads from a violation to its event", async () => {
    const violation = {
      rule: "items-done",
      sentence: "Every item is done.",
      message: "Item 3.",
      event: 9,
      frame: null,
    };
    await opened({}, packedOf(made, times, { violations: [violation], violation_count: 1 }));
    expect(el.querySelectorAll(".abi-event.abi-broken")).toHaveLength(1);
    tab("Grammar (1)");
    fireEvent.click(screen.getByRole("button", { name: "event 9" }));
    expect(screen.getByLabelText("JSON of event 9").textContent).toContain("Item 3.");
  });
});

it("shows what was asked", async () => {
  await opened({}, packedOf(made, times, { request: { model: "big", input: [{ role: "user" }] } }));
  tab("Request");
  expect(screen.getByRole("tabpanel").textContent).toContain('model: "big"');
});

it("folds JSON that is large or deep, and draws it when it is unfolded", async () => {
  const deep = { a: { b: { c: { d: "found" } } }, list: Array.from({ length: 500 }, (_, index) => index) };
  await opened({}, packedOf(made, times, { request: deep }));
  tab("Request");
  const panel = screen.getByRole("tabpanel");
  expect(panel.textContent).not.toContain("found");
  expect(panel.querySelectorAll(".abi-number")).toHaveLength(0);
  for (const closed of panel.querySelectorAll<HTMLDetailsElement>("details:not([open])")) {
    closed.open = true;
    fireEvent(closed, new Event("toggle"));
  }
  await waitFor(() => expect(panel.textContent).toContain("found"));
  expect(panel.querySelectorAll(".abi-number")).toHaveLength(200);
  fireEvent.click(screen.getByRole("button", { name: "300 more" }));
  expect(panel.querySelectorAll(".abi-number")).toHaveLength(400);
});

describe("protocols", () => {
  it("fetches a wire once, and links its frames to events", async () => {
    const model = await opened();
    tab("Protocols");
    tab("Chat chunks");
    await waitFor(() => expect(model.requests("wire").at(-1)?.args).toEqual({ wire: "chat", side: "run" }));
    const buffer = await gzipped([{ index: 10, text: 'data: {"one":1}\n\n' }]);
    model.receive({ id: model.requests("wire").at(-1)?.id, ok: null }, [buffer]);
    await waitFor(() => screen.getByText("1 frame"));
    fireEvent.click(rows("Frames")[0] as HTMLElement);
    expect(screen.getByText("1.000 s, event 10 of 14")).toBeTruthy();
    tab("Open Responses events");
    await waitFor(() => screen.getByText("15 frames"));
    tab("Chat chunks");
    await waitFor(() => screen.getByText("1 frame"));
    expect(model.requests("wire").filter(({ args }) => args.wire === "chat")).toHaveLength(1);
  });

  it("shows why a run can't be sent, and asks again the next time", async () => {
    const model = await opened();
    tab("Protocols");
    await waitFor(() => expect(model.requests("wire")).toHaveLength(1));
    model.answer("wire", { error: { message: "Event 3 is no event.", type: "invalid_request" } });
    await waitFor(() => expect(screen.getByRole("alert").textContent).toBe("Event 3 is no event."));
    tab("Open Responses events");
    tab("Responses SSE");
    await waitFor(() => expect(model.requests("wire")).toHaveLength(2));
  });

  it("needs no kernel in an exported page", async () => {
    const wires = { run: { responses: { frames: [{ index: 0, text: "event: x\n\n" }] }, chat: { error: "No." } } };
    const model = new FakeModel({
      run: await gzipped(packedOf(made, times)),
      other: null,
      runs: listed,
      wires: await gzipped(wires),
    });
    model.exported = true;
    await shown(model);
    expect(screen.queryByLabelText("Run")).toBeNull();
    tab("Protocols");
    await waitFor(() => screen.getByText("1 frame"));
    tab("Chat chunks");
    await waitFor(() => screen.getByText("No."));
    expect(model.sent).toEqual([]);
  });
});

describe("other runs", () => {
  it("can be chosen for either side", async () => {
    const model = await opened({ runs: listed });
    fireEvent.change(screen.getByLabelText("Beside"), { target: { value: "resp_1" } });
    expect(model.requests("choose")[0]?.args).toEqual({ response: "resp_1", side: "other" });
    fireEvent.click(screen.getByRole("button", { name: "Refresh" }));
    expect(model.requests("refresh")).toHaveLength(1);
  });

  it("stand beside on one scale, with their differences", async () => {
    const other = packedOf(events(["Sun."]), [...events(["Sun."]).keys()]);
    await opened({ other: await gzipped(other) });
    await waitFor(() => screen.getByRole("listbox", { name: "Output items of the run beside" }));
    tab("Compare");
    const table = screen.getByRole("table", { name: "How the two runs differ" });
    expect(within(table).getByRole("row", { name: /duration/ }).textContent).toBe(
      "duration1.40 s12.0 s+10.6 s (+757%)",
    );
    tab("Answer");
    expect(screen.getByText("Sun.")).toBeTruthy();
  });

  it("an error of the kernel's is shown", async () => {
    const model = await opened({ runs: listed });
    fireEvent.click(screen.getByRole("button", { name: "Refresh" }));
    model.answer("refresh", { error: { message: "It is gone.", type: "not_found" } });
    await waitFor(() => expect(screen.getByRole("alert").textContent).toBe("It is gone."));
  });
});

it("shows markup of a model's as text", async () => {
  await opened({}, packedOf(events(["<img src=x onerror=alert(1)>"]), []));
  tab("Answer");
  expect(el.querySelector("img")).toBeNull();
  expect(screen.getByText("<img src=x onerror=alert(1)>")).toBeTruthy();
});

it("draws no more rows than are in view", async () => {
  const many = events(Array.from({ length: 20_000 }, () => "word "));
  await opened({}, packedOf(many, [...many.keys()]));
  expect(rows("Events").length).toBeLessThan(40);
});
