import { describe, expect, it, vi } from "vitest";
import { Kernel } from "../../src/shared/kernel";
import { FakeModel } from "../model";

const withComms = (comms: { subshellStarted?: Promise<void> }[], supportsSubshells = true) => {
  const fake = new FakeModel();
  fake.widget_manager = {
    kernel: { supportsSubshells, _comms: new Map(comms.map((comm, place) => [`${place}`, comm])) },
  };
  return fake;
};

describe("readiness", () => {
  it("sends at once where there are no subshells", () => {
    for (const fake of [
      new FakeModel(),
      withComms([]),
      withComms([{ subshellStarted: new Promise(() => {}) }], false),
    ]) {
      new Kernel(fake.model);
      expect(fake.requests("ping")).toHaveLength(1);
    }
  });

  it("holds requests back until the comms have their own shell", async () => {
    let start = () => {};
    const fake = withComms([{ subshellStarted: new Promise<void>((resolve) => (start = resolve)) }]);
    new Kernel(fake.model);
    await Promise.resolve();
    expect(fake.sent).toHaveLength(0);
    start();
    await vi.waitFor(() => expect(fake.requests("ping")).toHaveLength(1));
  });

  it("waits no longer than two seconds", async () => {
    vi.useFakeTimers();
    const fake = withComms([{ subshellStarted: new Promise(() => {}) }]);
    new Kernel(fake.model);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(fake.requests("ping")).toHaveLength(1);
    vi.useRealTimers();
  });
});
