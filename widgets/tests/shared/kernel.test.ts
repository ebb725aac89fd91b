import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Kernel, type KernelError } from "../../src/shared/kernel";
import { FakeModel } from "../model";

let fake: FakeModel;

beforeEach(() => {
  vi.useFakeTimers();
  fake = new FakeModel();
});

afterEach(() => {
  vi.useRealTimers();
});

test("a request resolves with its answer", async () => {
  const kernel = new Kernel(fake.model);
  const answer = kernel.request("copy", { turn: "t1" });
  expect(fake.requests("copy")[0]?.args).toEqual({ turn: "t1" });
  fake.answer("copy", { ok: { markdown: "hi" } });
  expect(await answer).toEqual({ markdown: "hi" });
});

test("answers find their requests in any order", async () => {
  const kernel = new Kernel(fake.model);
  const [first, second] = [kernel.request("a"), kernel.request("b")];
  fake.answer("b", { ok: 2 });
  fake.answer("a", { ok: 1 });
  expect([await first, await second]).toEqual([1, 2]);
});

test("an error rejects with the kernel's message and type", async () => {
  const kernel = new Kernel(fake.model);
  const answer = kernel.request("send").catch((error: KernelError) => [error.message, error.type]);
  fake.answer("send", { error: { message: "Nothing to send.", type: "invalid_request_error" } });
  expect(await answer).toEqual(["Nothing to send.", "invalid_request_error"]);
});

test("a kernel that is silent for 30 seconds is an error", async () => {
  const kernel = new Kernel(fake.model);
  const answer = kernel.request("send").catch((error: KernelError) => error.type);
  vi.advanceTimersByTime(30_001);
  expect(await answer).toBe("timeout");
  expect(kernel.status).toBe("waiting");
});

test("an answer that comes too late changes nothing but the status", async () => {
  const kernel = new Kernel(fake.model);
  const answer = kernel.request("send").catch((error: KernelError) => error.type);
  vi.advanceTimersByTime(30_001);
  fake.answer("send", { ok: true });
  expect(await answer).toBe("timeout");
});

test("another view's answer is no answer to this one", async () => {
  const [one, other] = [new Kernel(fake.model), new Kernel(fake.model)];
  const settled = vi.fn();
  one.request("send").then(settled);
  const id = fake.requests("send")[0]?.id;
  other.request("send");
  expect(fake.requests("send")[1]?.id).not.toBe(id);
  fake.answer("send", { ok: 1 });
  await vi.advanceTimersByTimeAsync(1);
  expect(settled).not.toHaveBeenCalled();
});

test("a kernel that doesn't greet back is waited for, until it speaks", () => {
  const kernel = new Kernel(fake.model);
  vi.advanceTimersByTime(3_001);
  expect(kernel.status).toBe("waiting");
  fake.receive({ event: "turn" });
  expect(kernel.status).toBe("live");
});

test("everyone who watches is told of a change, until they stop", () => {
  const kernel = new Kernel(fake.model);
  const [one, other] = [vi.fn(), vi.fn()];
  const end = kernel.onStatus(one);
  kernel.onStatus(other);
  vi.advanceTimersByTime(3_001);
  end();
  fake.receive({ event: "turn" });
  expect([one.mock.calls.length, other.mock.calls.length]).toEqual([1, 2]);
});

test("a kernel that greets back is live", async () => {
  const kernel = new Kernel(fake.model);
  fake.answer("ping", { ok: true });
  await vi.advanceTimersByTimeAsync(3_001);
  expect(kernel.status).toBe("live");
});

test("messages reach those who listen to them, until they stop", () => {
  const kernel = new Kernel(fake.model);
  const handler = vi.fn();
  const end = kernel.on("grow", handler);
  fake.receive({ event: "grow", turn: "t1" });
  fake.receive({ event: "block" });
  end();
  fake.receive({ event: "grow", turn: "t2" });
  expect(handler.mock.calls.map(([message]) => message.turn)).toEqual(["t1"]);
});

test("an exported page asks nobody", async () => {
  fake.exported = true;
  const kernel = new Kernel(fake.model);
  const type = await kernel.request("send").catch((error: KernelError) => error.type);
  expect([type, kernel.status, fake.sent]).toEqual(["no_kernel", "none", []]);
});

test("nothing is heard once the view has gone", () => {
  const gone = new AbortController();
  const kernel = new Kernel(fake.model, gone.signal);
  const handler = vi.fn();
  kernel.on("grow", handler);
  gone.abort();
  fake.receive({ event: "grow" });
  expect(handler).not.toHaveBeenCalled();
});

test("a request that lasts is waited for, and the view is told that it waits", async () => {
  const kernel = new Kernel(fake.model);
  fake.answer("ping", { ok: true });
  const answer = kernel.request("send", {}, { lasting: true });
  await vi.advanceTimersByTimeAsync(3_001);
  expect(kernel.status).toBe("waiting");
  await vi.advanceTimersByTimeAsync(600_000);
  fake.answer("send", { ok: true });
  expect([await answer, kernel.status]).toEqual([true, "live"]);
});

test("a kernel that is lost ends the requests that last", async () => {
  const kernel = new Kernel(fake.model);
  const answer = kernel.request("send", {}, { lasting: true }).catch((error: KernelError) => error.type);
  fake.lose();
  expect([await answer, kernel.status]).toEqual(["lost", "lost"]);
});

test("to a kernel that is lost no request lasts, until it speaks again", async () => {
  const kernel = new Kernel(fake.model);
  fake.lose();
  const answer = kernel.request("send", {}, { lasting: true }).catch((error: KernelError) => error.type);
  await vi.advanceTimersByTimeAsync(5_001);
  expect(await answer).toBe("timeout");
  fake.receive({ event: "turn" });
  const settled = vi.fn();
  kernel.request("send", {}, { lasting: true }).then(settled, settled);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(settled).not.toHaveBeenCalled();
});

test.each(["dead", "autorestarting"])("a session whose kernel is %s is a lost kernel", async (status) => {
  const slots = new Set<(sender: unknown, status: string) => void>();
  const statusChanged = { connect: slots.add.bind(slots), disconnect: slots.delete.bind(slots) };
  fake.widget_manager = { context: { sessionContext: { statusChanged } } };
  const gone = new AbortController();
  const kernel = new Kernel(fake.model, gone.signal);
  const answer = kernel.request("send", {}, { lasting: true }).catch((error: KernelError) => error.type);
  for (const each of ["busy", status]) for (const slot of slots) slot(null, each);
  expect(await answer).toBe("lost");
  gone.abort();
  expect(slots.size).toBe(0);
});
