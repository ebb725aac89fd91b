import { act, cleanup, render, screen } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";
import { Kernel } from "../../src/shared/kernel";
import { useMessage, useSetTrait, useTrait, ViewContext } from "../../src/shared/state";
import { FakeModel } from "../model";

afterEach(cleanup);

function Draft() {
  const draft = useTrait<string>("draft");
  const set = useSetTrait<string>("draft");
  return (
    <button type="button" onClick={() => set("written here")}>
      {draft}
    </button>
  );
}

function shown(fake: FakeModel, views = 1) {
  const kernel = new Kernel(fake.model);
  const parts = Array.from({ length: views }, (_, index) => <Draft key={index} />);
  render(<ViewContext.Provider value={{ model: fake.model, kernel }}>{parts}</ViewContext.Provider>);
}

const words = () => screen.getAllByRole("button").map((each) => each.textContent);

test("what the kernel changes is shown", () => {
  const fake = new FakeModel({ draft: "old" });
  shown(fake);
  act(() => fake.set("draft", "new"));
  expect(words()).toEqual(["new"]);
});

test("what one view changes is saved, and the other shows it", () => {
  const fake = new FakeModel({ draft: "old" });
  shown(fake, 2);
  act(() => screen.getAllByRole("button")[0]?.click());
  expect(words()).toEqual(["written here", "written here"]);
  expect(fake.saved).toEqual([{ draft: "written here" }]);
});

test("a component hears messages while it is shown", () => {
  const fake = new FakeModel();
  const heard = vi.fn();
  const kernel = new Kernel(fake.model);
  function Listener() {
    useMessage("grow", heard);
    return null;
  }
  const { unmount } = render(
    <ViewContext.Provider value={{ model: fake.model, kernel }}>
      <Listener />
    </ViewContext.Provider>,
  );
  act(() => fake.receive({ event: "grow" }));
  act(() => {
    unmount();
  });
  fake.receive({ event: "grow" });
  expect(heard).toHaveBeenCalledTimes(1);
});
