import { act, cleanup, fireEvent, screen, waitFor, within } from "@testing-library/preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import tuner from "../../src/tuner/index";
import type { Row } from "../../src/tuner/types";
import { FakeModel } from "../model";
import { ROWS, TRAITS } from "./rows";

let fake: FakeModel;
let ended: AbortController;

function open(traits: Record<string, unknown> = {}, exported = false) {
  fake = new FakeModel({ ...TRAITS, ...traits });
  fake.exported = exported;
  const el = document.createElement("div");
  document.body.append(el);
  act(() => {
    tuner.render({ model: fake.model, el, signal: ended.signal });
  });
}

const changed = (key: string, about: Partial<Row>) =>
  ROWS.map((row) => (row.field.key === key ? { ...row, ...about } : row));

const GROUPS = 4;

const puts = () => fake.requests("put").map((each) => each.args);

function type(label: string, value: string) {
  const control = screen.getByLabelText(label) as HTMLInputElement;
  fireEvent.input(control, { target: { value } });
  return control;
}

async function answer(op: string, ok: unknown = null) {
  await act(async () => fake.answer(op, { ok }));
}

beforeEach(() => {
  ended = new AbortController();
  vi.useFakeTimers({ shouldAdvanceTime: true });
});

afterEach(() => {
  ended.abort();
  cleanup();
  document.body.replaceChildren();
  vi.useRealTimers();
});

describe("a row", () => {
  it("ties its label, its description and its error to the control", () => {
    open({ fields: changed("streamRate", { error: "expected a number, found text", pending: true }) });
    const control = screen.getByLabelText("streamRate");
    const described = (control.getAttribute("aria-describedby") ?? "").split(" ");
    const texts = described.map((id) => document.getElementById(id)?.textContent).join(" | ");
    expect(texts).toContain("milliseconds between pieces; 0: none · default: 1 · at least 0");
    expect(texts).toContain("expected a number, found text");
    expect(control.getAttribute("aria-invalid")).toBe("true");
  });

  it("tells where the value is from and what it overrode", () => {
    open();
    expect(screen.getByText("endpoint · agentbench.yaml:6")).toBeTruthy();
    expect(screen.getByText("overrides 1")).toBeTruthy();
    expect(screen.getByText("all 2 that are sent")).toBeTruthy();
    expect(screen.getByText("X-All:", { exact: false })).toBeTruthy();
  });

  it("shows a fixed value as text", () => {
    open();
    expect(screen.queryByLabelText("name")).toBeNull();
    expect(screen.getByText("router", { selector: ".ab-fixed" })).toBeTruthy();
  });
});

describe("typing", () => {
  it("sends the last of what is typed, after a moment", () => {
    open();
    type("streamRate", "3");
    type("streamRate", "30");
    expect(puts()).toEqual([]);
    vi.advanceTimersByTime(260);
    expect(puts()).toEqual([{ endpoint: "openAI", key: "streamRate", value: "30" }]);
  });

  it("sends at once when the control is left", () => {
    open();
    fireEvent.blur(type("streamRate", "3"));
    expect(puts()).toEqual([{ endpoint: "openAI", key: "streamRate", value: "3" }]);
  });

  it("keeps what was typed while it is wrong", async () => {
    open();
    const control = type("streamRate", "fast");
    fireEvent.blur(control);
    act(() => fake.set("fields", changed("streamRate", { value: 25, pending: true, error: "expected a number" })));
    await answer("put");
    expect(control.value).toBe("fast");
  });

  it("shows the kernel's value after a reset", async () => {
    open();
    const control = type("streamRate", "30");
    fireEvent.blur(control);
    act(() => fake.set("fields", changed("streamRate", { value: "30", pending: true })));
    await answer("put");
    fireEvent.click(screen.getByLabelText("Reset streamRate"));
    expect(fake.requests("reset")[0]?.args).toEqual({ endpoint: "openAI", key: "streamRate" });
    expect(document.activeElement).toBe(control);
    act(() => fake.set("fields", ROWS));
    await answer("reset");
    expect(control.value).toBe("25");
  });

  it("shows what another view has typed", () => {
    open();
    act(() => fake.set("fields", changed("streamRate", { value: "77", pending: true })));
    expect((screen.getByLabelText("streamRate") as HTMLInputElement).value).toBe("77");
  });
});

describe("controls", () => {
  it("sends a checkbox and a choice at once", () => {
    open();
    fireEvent.click(screen.getByLabelText("titleConvo"));
    fireEvent.change(screen.getByLabelText("titleTiming"), { target: { value: "final" } });
    vi.advanceTimersByTime(1);
    expect(puts().map((each) => each.value)).toEqual([true, "final"]);
  });

  it("sends a list line by line, and YAML as text", () => {
    open();
    type("dropParams", "user\n seed \n");
    type("addParams", "top_k: 41");
    vi.advanceTimersByTime(260);
    expect(puts().map((each) => each.value)).toEqual([["user", "seed", ""], "top_k: 41"]);
  });

  it("never shows a secret, and hides what is typed of one", () => {
    open();
    const control = screen.getByLabelText("apiKey") as HTMLInputElement;
    expect([control.value, control.placeholder, control.type]).toEqual(["", "****", "text"]);
    type("apiKey", "sk-1");
    expect(control.type).toBe("password");
    type("apiKey", "$" + "{KEY}");
    expect(control.type).toBe("text");
  });

  it("edits, adds and removes headers", () => {
    open();
    const group = within(screen.getByRole("group", { name: "headers" }));
    fireEvent.input(group.getByLabelText("headers 1, value"), { target: { value: "sea" } });
    fireEvent.input(group.getByLabelText("headers 3, name"), { target: { value: "X-New" } });
    fireEvent.click(group.getByLabelText("Remove Authorization"));
    vi.advanceTimersByTime(260);
    expect(puts().at(-1)?.value).toEqual({ "X-Team": "sea", "X-New": "" });
  });
});

describe("the footer", () => {
  it("offers only what can be done", () => {
    open();
    const disabled = (name: string) => (screen.getByRole("button", { name }) as HTMLButtonElement).disabled;
    expect(["Undo", "Redo", "Discard", "Save to file", "Apply to session"].every(disabled)).toBe(true);
    act(() => fake.set("pending", ["openAI.streamRate"]));
    expect([disabled("Apply to session"), disabled("Save to file")]).toEqual([false, false]);
    act(() => fake.set("problems", ["endpoints.openAI.streamRate: expected a number"]));
    expect([disabled("Apply to session"), disabled("Discard")]).toEqual([true, false]);
  });

  it("says what came of a step", async () => {
    open({ pending: ["openAI.streamRate"] });
    fireEvent.click(screen.getByRole("button", { name: "Apply to session" }));
    await answer("apply", "Applied to this session: openAI.streamRate.");
    expect(screen.getByRole("status").textContent).toBe("Applied to this session: openAI.streamRate.");
  });

  it("shows a refusal", async () => {
    open({ undoes: "save of openAI.streamRate" });
    fireEvent.click(screen.getByRole("button", { name: "Undo save of openAI.streamRate" }));
    await act(async () => fake.answer("undo", { error: { message: "It has changed since.", type: "x" } }));
    expect((await screen.findByRole("alert")).textContent).toBe("It has changed since.");
  });

  it("shows the diff", async () => {
    open({ pending: ["openAI.streamRate"] });
    fireEvent.click(screen.getByRole("button", { name: "Diff" }));
    await waitFor(() => expect(fake.requests("diff")).toHaveLength(1));
    await answer("diff", "@@ -1 +1 @@\n-streamRate: 25\n+streamRate: 30");
    expect(screen.getByText("+streamRate: 30", { exact: false }).className).toBe("ab-added");
  });
});

describe("around the form", () => {
  it("asks for another endpoint", () => {
    open();
    fireEvent.change(screen.getByRole("combobox", { name: "Endpoint" }), { target: { value: "all" } });
    expect(fake.requests("choose")[0]?.args).toEqual({ endpoint: "all" });
  });

  it("filters", () => {
    open();
    fireEvent.input(screen.getByLabelText("Filter settings"), { target: { value: "title" } });
    expect(screen.queryByLabelText("streamRate")).toBeNull();
    fireEvent.input(screen.getByLabelText("Filter settings"), { target: { value: "" } });
    fireEvent.click(screen.getByLabelText("Only changed"));
    expect(screen.getByLabelText("streamRate")).toBeTruthy();
    expect(screen.queryByLabelText("titleConvo")).toBeNull();
  });

  it("previews headers, and asks again when something changes", async () => {
    open();
    fireEvent.click(screen.getByRole("tab", { name: "Headers" }));
    await waitFor(() => expect(fake.requests("preview")).toHaveLength(1));
    await answer("preview", { of: "openAI", headers: [["X-Team", "sky"]] });
    expect(screen.getByRole("rowheader", { name: "X-Team" })).toBeTruthy();
    act(() => fake.set("pending", ["openAI.headers.X-Team"]));
    await waitFor(() => expect(fake.requests("preview")).toHaveLength(2));
  });

  it("is a table to be read where there is no kernel", () => {
    open({ forms: { openAI: ROWS, router: ROWS.slice(0, 1) } }, true);
    expect(screen.getAllByRole("rowheader")).toHaveLength(ROWS.length + GROUPS);
    expect(screen.queryByRole("button")).toBeNull();
    expect(screen.queryByLabelText("streamRate")).toBeNull();
    fireEvent.change(screen.getByRole("combobox", { name: "Endpoint" }), { target: { value: "router" } });
    expect(screen.getAllByRole("rowheader")).toHaveLength(1 + 1);
  });
});
