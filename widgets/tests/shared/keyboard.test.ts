import { expect, test, vi } from "vitest";
import { guardKeys, moved } from "../../src/shared/keyboard";

function press(init: KeyboardEventInit) {
  const [outside, el, button] = ["div", "div", "button"].map((name) => document.createElement(name)) as [
    HTMLElement,
    HTMLElement,
    HTMLElement,
  ];
  outside.append(el);
  el.append(button);
  guardKeys(el, new AbortController().signal);
  const [leaked, heard] = [vi.fn(), vi.fn()];
  outside.addEventListener("keydown", leaked);
  button.addEventListener("keydown", heard);
  button.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, ...init }));
  return { leaked: leaked.mock.calls.length, heard: heard.mock.calls.length };
}

test("plain keys and Shift don't reach the notebook, but the widget", () => {
  expect(press({ key: "b" })).toEqual({ leaked: 0, heard: 1 });
  expect(press({ key: "Enter", shiftKey: true })).toEqual({ leaked: 0, heard: 1 });
});

test("keys with Ctrl, Cmd or Alt stay the notebook's", () => {
  expect(press({ key: "s", ctrlKey: true }).leaked).toBe(1);
  expect(press({ key: "s", metaKey: true }).leaked).toBe(1);
  expect(press({ key: "s", altKey: true }).leaked).toBe(1);
});

test.each([
  ["ArrowDown", 3, 4],
  ["ArrowUp", 0, 0],
  ["PageDown", 3, 9],
  ["PageUp", 9, 0],
  ["Home", 5, 0],
  ["End", 5, 9],
  ["x", 5, null],
])("%s leads from row %d to %s", (key, from, to) => {
  expect(moved(key, from, 10)).toBe(to);
});
