import { act, fireEvent, render, screen } from "@testing-library/preact";
import { expect, test } from "vitest";
import { JsonTree } from "../../src/inspector/json";

test("JSON in a string unfolds, so that the scores of a search can be read", async () => {
  const output = JSON.stringify({ searched: 9, passages: [{ n: 1, score: 0.0325 }] });
  const { container } = render(<JsonTree value={{ output, text: "{plain}" }} />);
  expect(screen.getAllByText("as JSON").length).toBe(1);
  const fold = screen.getByText("as JSON").parentElement as HTMLDetailsElement;
  fold.open = true;
  await act(async () => {
    fireEvent(fold, new Event("toggle"));
  });
  expect(container.textContent).toContain("score: 0.0325");
});
