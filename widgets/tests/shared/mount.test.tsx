import { act } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { widget } from "../../src/shared/mount";
import { useTrait } from "../../src/shared/state";
import { FakeModel } from "../model";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

function Name() {
  const name = useTrait<string>("name");
  if (name === "bad") throw new Error("no such name");
  return <p>{name}</p>;
}

function mounted(fake: FakeModel) {
  const area = document.createElement("div");
  area.className = "jp-OutputArea";
  const el = area.appendChild(document.createElement("div"));
  document.body.append(area);
  let end: () => void = () => {};
  act(() => {
    end = widget(Name, "name").render({ model: fake.model, el });
  });
  return { area, el, end };
}

test("the element gets its classes and the component", () => {
  const { el } = mounted(new FakeModel({ name: "chat" }));
  expect(el.className).toBe("ab-root ab-name");
  expect(el.textContent).toBe("chat");
});

test("a view that breaks says so, and can be drawn again", () => {
  const fake = new FakeModel({ name: "bad" });
  const { el } = mounted(fake);
  expect(el.querySelector("[role=alert]")?.textContent).toContain("This view broke: no such name.");
  fake.set("name", "good");
  act(() => el.querySelector("button")?.click());
  expect(el.textContent).toBe("good");
});

test("a kernel that doesn't answer is told of", () => {
  const { el } = mounted(new FakeModel({ name: "chat" }));
  act(() => {
    vi.advanceTimersByTime(3_001);
  });
  expect(el.querySelector("[role=status]")?.textContent).toContain("The kernel hasn't answered yet.");
});

test("the record is hidden while the view lives", () => {
  const { area, end } = mounted(new FakeModel({ name: "chat" }));
  vi.advanceTimersByTime(50);
  expect(area.classList.contains("ab-live")).toBe(true);
  end();
  expect(area.classList.contains("ab-live")).toBe(false);
});

test("a view that ends leaves nothing and hears nothing", () => {
  const fake = new FakeModel({ name: "chat" });
  const { el, end } = mounted(fake);
  end();
  fake.set("name", "later");
  expect(el.textContent).toBe("");
});
