import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";
import { VirtualList } from "../../src/shared/list";

afterEach(cleanup);

function list(more: { chosen?: number; onChoose?: (index: number) => void } = {}) {
  render(
    <VirtualList count={20_000} rowHeight={20} height={200} label="Events" row={(index) => `row ${index}`} {...more} />,
  );
  return screen.getByRole("listbox", { name: "Events" });
}

test("of many rows only those in view are in the page", () => {
  list();
  const rows = screen.getAllByRole("option");
  expect(rows.length).toBeLessThan(40);
  expect(rows[0]?.textContent).toBe("row 0");
  expect(rows[0]?.getAttribute("aria-setsize")).toBe("20000");
});

test("scrolling brings other rows", () => {
  const box = list();
  box.scrollTop = 10_000;
  fireEvent.scroll(box);
  expect(screen.getByText("row 500")).toBeTruthy();
  expect(screen.queryByText("row 0")).toBeNull();
});

test("keys choose rows", () => {
  const choose = vi.fn();
  const box = list({ chosen: 5, onChoose: choose });
  for (const key of ["ArrowDown", "PageDown", "End", "x"]) fireEvent.keyDown(box, { key });
  expect(choose.mock.calls).toEqual([[6], [15], [19_999]]);
});

test("a click chooses a row, and the chosen one is marked", () => {
  const choose = vi.fn();
  list({ chosen: 2, onChoose: choose });
  fireEvent.click(screen.getByText("row 4"));
  expect(choose).toHaveBeenCalledWith(4);
  expect(screen.getByRole("option", { selected: true }).textContent).toBe("row 2");
});
