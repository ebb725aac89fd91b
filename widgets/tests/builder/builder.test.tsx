import { act, cleanup, fireEvent, screen, waitFor, within } from "@testing-library/preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import builder from "../../src/builder/index";
import { called, type Form, shown, ticked } from "../../src/builder/types";
import { FakeModel } from "../model";

const FORM: Form = {
  name: "Poet",
  description: "",
  model: "gpt-4",
  instructions: "Rhyme.",
  temperature: "",
  top_p: "",
  file_search: true,
  code_interpreter: false,
  functions: ["sky"],
  others: "",
  store: "coll_1",
  metadata: [["team", "sky"]],
};
const TRAITS = {
  refused: "",
  assistant: "asst_1",
  assistants: [
    { id: "asst_1", name: "Poet", own: true, pending: false },
    { id: "asst_2", name: "Painter", own: false, pending: false },
  ],
  form: FORM,
  pending: [],
  errors: {},
  read_only: "",
  models: ["bot", "scripted/hello"],
  answers: { by: "scripted/hello", why: "" },
  refusals: { code_interpreter: "Code is not run here. Set `codeInterpreter: true`." },
  functions: [{ name: "sky", description: "Tells of the sky." }],
  collections: [{ id: "coll_1", name: "poems", files: 1 }],
  files: [{ id: "file_1", name: "roses.md", status: "completed", error: "" }],
  adding: {},
  answer: null,
};
const ANSWER = { question: "Who?", running: true, html: "<p>Roses</p>", note: "", line: "", error: "" };

let fake: FakeModel;
let ended: AbortController;

function open(traits: Record<string, unknown> = {}, exported = false) {
  fake = new FakeModel({ ...TRAITS, ...traits });
  fake.exported = exported;
  const el = document.createElement("div");
  document.body.append(el);
  act(() => {
    builder.render({ model: fake.model, el, signal: ended.signal });
  });
}

const set = (name: string, value: unknown) => act(() => fake.set(name, value));
const press = async (name: string) => fireEvent.click(await screen.findByRole("button", { name }));
const wait = (ms: number) =>
  act(async () => {
    vi.advanceTimersByTime(ms);
  });
const puts = () => fake.requests("put").map((each) => each.args);

function type(label: string, value: string) {
  const control = screen.getByLabelText(label) as HTMLInputElement;
  fireEvent.input(control, { target: { value } });
  return control;
}

async function answer(op: string, ok: unknown = null) {
  await act(async () => fake.answer(op, { ok }));
}

async function refuse(op: string, message: string) {
  await act(async () => fake.answer(op, { error: { message, type: "invalid_request_error" } }));
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

describe("the form", () => {
  it("sends what is typed once it is still, for the assistant that was shown", async () => {
    open();
    type("Name", "Po");
    const control = type("Name", "Poe");
    await wait(300);
    expect(puts()).toEqual([{ assistant: "asst_1", control: "name", value: "Poe" }]);
    expect(control.value).toBe("Poe");
  });

  it("keeps what was typed where it is wrong, and ties the error to the control", async () => {
    open();
    const control = type("Temperature", "3");
    fireEvent.blur(control);
    await refuse("put", "no kernel");
    set("errors", { temperature: "temperature is a number from 0 to 2." });
    expect(control.value).toBe("3");
    expect(control.getAttribute("aria-invalid")).toBe("true");
    const described = (control.getAttribute("aria-describedby") ?? "").split(" ");
    expect(described.map((id) => document.getElementById(id)?.textContent).join("|")).toContain("from 0 to 2.");
  });

  it("sends what was typed to its own assistant when another is shown", async () => {
    open();
    type("Name", "Poe");
    set("assistant", "asst_2");
    expect(puts()).toEqual([{ assistant: "asst_1", control: "name", value: "Poe" }]);
  });

  it("suggests models and tells who answers", () => {
    open();
    const list = document.getElementById(screen.getByLabelText("Model").getAttribute("list") ?? "");
    expect([...(list?.querySelectorAll("option") ?? [])].map((each) => each.value)).toEqual(TRAITS.models);
    expect(screen.getByText("scripted/hello answers.")).toBeTruthy();
    set("answers", { by: "", why: "There is no model 'gpt-5'." });
    expect(screen.getByText("There is no model 'gpt-5'.")).toBeTruthy();
  });

  it("ticks tools, and says why one can't be had", () => {
    open();
    fireEvent.click(screen.getByRole("checkbox", { name: /sky/ }));
    expect(puts()).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(puts()).toEqual([{ assistant: "asst_1", control: "functions", value: [] }]);
    const code = screen.getByRole("checkbox", { name: /code_interpreter.*Code is not run here/ });
    expect((code as HTMLInputElement).disabled).toBe(true);
    expect(screen.getByText("codeInterpreter: true").tagName).toBe("CODE");
  });

  it("lets a tool be taken away that can't be had any more", () => {
    open({ form: { ...FORM, code_interpreter: true } });
    const code = screen.getByRole("checkbox", { name: /code_interpreter/ }) as HTMLInputElement;
    expect([code.checked, code.disabled]).toEqual([true, false]);
  });

  it("opens other functions by a button, and by itself where there are some", async () => {
    open();
    await press("Other functions …");
    expect(screen.getByLabelText("Other functions")).toBeTruthy();
    cleanup();
    open({ form: { ...FORM, others: "[]" } });
    expect(screen.getAllByLabelText("Other functions").length).toBeGreaterThan(0);
  });

  it("edits and removes metadata", async () => {
    open();
    type("Metadata 2, key", "tone");
    await wait(300);
    await press("Remove team");
    await wait(1);
    expect(puts().map((each) => each.value)).toEqual([
      [
        ["team", "sky"],
        ["tone", ""],
      ],
      [["tone", ""]],
    ]);
  });

  it("lists the files, and keeps the names of those that can't be added", async () => {
    open();
    expect(within(screen.getByRole("list", { name: "Files in the collection" })).getByText("roses.md")).toBeTruthy();
    const control = type("Files to add", "a.md");
    await press("Add files");
    await refuse("add_files", "Files are still being added.");
    expect(control.value).toBe("a.md");
    await press("Add files");
    await answer("add_files", true);
    await waitFor(() => expect(control.value).toBe(""));
    set("adding", { running: false, error: "No file matches 'a.md'." });
    expect(screen.getByRole("alert").textContent).toBe("No file matches 'a.md'.");
  });
});

describe("what can be done", () => {
  it("saves what is pending and says so", async () => {
    open();
    expect((screen.getByRole("button", { name: "Save" }) as HTMLButtonElement).disabled).toBe(true);
    set("pending", ["name"]);
    expect(screen.getByText("1 field isn't saved")).toBeTruthy();
    await press("Save");
    await answer("save", "Saved Poet (asst_1).");
    expect(screen.getByText("Saved Poet (asst_1).")).toBeTruthy();
  });

  it("deletes only after it has asked once more", async () => {
    open();
    await answer("ping", true);
    await answer("refresh");
    await press("Delete");
    expect(fake.requests("delete")).toEqual([]);
    await press("Keep it");
    await press("Delete");
    await wait(10_000);
    expect(screen.queryByRole("button", { name: "Delete it" })).toBeNull();
    await press("Delete");
    await press("Delete it");
    expect(fake.requests("delete").length).toBe(1);
  });

  it("hides its buttons and says why where nobody may make assistants", () => {
    open({ refused: "endpoints.assistants.disableBuilder is on." });
    expect(screen.getByText("endpoints.assistants.disableBuilder is on.")).toBeTruthy();
    for (const name of ["Save", "Delete", "Copy to a new one", "Ask"]) {
      expect(screen.queryByRole("button", { name })).toBeNull();
    }
    expect(screen.getByLabelText("Name").closest("fieldset")?.disabled).toBe(true);
  });

  it("lets another's assistant be copied and tried, not changed", () => {
    open({ read_only: "It is somebody's." });
    expect(screen.getByLabelText("Name").closest("fieldset")?.disabled).toBe(true);
    expect(screen.queryByRole("button", { name: "Save" })).toBeNull();
    expect(screen.getByRole("button", { name: "Copy to a new one" })).toBeTruthy();
    expect(screen.getByLabelText("Ask it")).toBeTruthy();
  });

  it("has nothing to delete or copy for a new one", () => {
    open({ assistant: "", pending: ["name"] });
    expect(screen.getByRole("button", { name: "Make assistant" })).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Delete" })).toBeNull();
  });
});

describe("a try", () => {
  it("asks by Enter and shows what comes, until it is stopped", async () => {
    open();
    const control = type("Ask it", "Who?");
    fireEvent.keyDown(control, { key: "Enter", shiftKey: true });
    expect(fake.requests("ask")).toEqual([]);
    fireEvent.keyDown(control, { key: "Enter" });
    expect(fake.requests("ask").map((each) => each.args)).toEqual([{ text: "Who?" }]);
    await answer("ask", true);
    await waitFor(() => expect(control.value).toBe(""));
    set("answer", ANSWER);
    expect(screen.getByText("Roses")).toBeTruthy();
    await press("Stop");
    expect(fake.requests("stop").length).toBe(1);
    set("answer", { ...ANSWER, running: false, line: "scripted/hello · 3 → 2 tokens" });
    expect(screen.getByText("scripted/hello · 3 → 2 tokens")).toBeTruthy();
    expect(screen.getByText("The answer has ended.")).toBeTruthy();
  });

  it("keeps a question that is refused", async () => {
    open();
    const control = type("Ask it", "Who?");
    await press("Ask");
    await refuse("ask", "temperature is a number from 0 to 2.");
    expect(control.value).toBe("Who?");
    expect(screen.getByRole("alert").textContent).toBe("temperature is a number from 0 to 2.");
  });
});

describe("an exported page", () => {
  it("shows every assistant to be read", () => {
    const forms = { asst_1: FORM, asst_2: { ...FORM, name: "Painter", metadata: [] } };
    open({ forms, answer: { ...ANSWER, running: false } }, true);
    expect(screen.getByText("team: sky")).toBeTruthy();
    expect(screen.getByText("Roses")).toBeTruthy();
    fireEvent.change(screen.getByLabelText("Assistant", { selector: "select" }), { target: { value: "asst_2" } });
    expect(screen.queryByText("team: sky")).toBeNull();
    expect(screen.queryByText("Roses")).toBeNull();
    expect(fake.sent).toEqual([]);
  });
});

describe("words", () => {
  it("calls an assistant by its name and what matters of it", () => {
    expect(called({ id: "asst_1", name: "", own: true, pending: false })).toBe("asst_1");
    expect(called({ id: "asst_1", name: "Poet", own: false, pending: true })).toBe(
      "Poet · asst_1 · not yours · not saved",
    );
  });

  it("shows what a form holds", () => {
    expect(shown(FORM, "functions")).toBe("sky");
    expect(shown(FORM, "code_interpreter")).toBe("");
    expect(shown(FORM, "store")).toBe("coll_1");
    expect(shown(FORM, "store", TRAITS.collections)).toBe("poems");
    expect(ticked(["a", "b"], "a", true)).toEqual(["b", "a"]);
    expect(ticked(["a", "b"], "a", false)).toEqual(["b"]);
  });
});
