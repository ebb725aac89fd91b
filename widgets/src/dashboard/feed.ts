// The calls that this view knows: the model's trait, then what the kernel sends as calls are made.

import type { Kernel } from "../shared/kernel";
import type { Model } from "../shared/model";
import { unpack } from "../shared/packed";
import { Calls, type Columns, type Snapshot, type Sums } from "./calls";

const SIGN_OF_LIFE_MS = 20_000;
const TIMEOUT_MS = 15 * 60_000; // a kernel that computes answers when it is done

interface Message {
  from: number;
  count: number;
  whole: boolean;
  sums: Sums;
}

/** Keep the calls up to date, and tell of each change, until the signal; the kernel looks for them meanwhile. */
export function follow(model: Model, kernel: Kernel, changed: (calls: Calls) => void, signal: AbortSignal) {
  let calls: Calls | null = null;
  let offset = 0;
  let queue = Promise.resolve(); // unpacking takes time, and order counts
  const next = (job: () => Promise<void>) => {
    queue = queue.then(() => (signal.aborted ? undefined : job())).catch(() => {});
  };
  const take = (found: Calls) => {
    calls = found;
    changed(found);
  };
  const load = () =>
    next(async () => {
      const found = await unpack<Snapshot>(model.get("rows") as DataView);
      if (!found || found.count < (calls?.count ?? 0)) return;
      offset = found.offset;
      take(Calls.of(found));
    });
  const receive = (message: Message, buffers: DataView[]) =>
    next(async () => {
      const more = await unpack<Columns>(buffers[0]);
      if (message.whole && more) take(Calls.of({ ...more, count: message.count, offset, sums: message.sums }));
      else if (calls && message.from === calls.count) take(calls.with(more, message.count, message.sums));
      else if (calls && message.from > calls.count) ask();
    });
  const ask = () => {
    if (model.exported || document.visibilityState === "hidden") return;
    const count = calls?.count ?? 0;
    const answer = kernel.ask("watch", { count }, { timeoutMs: TIMEOUT_MS });
    answer.then(({ value, buffers }) => receive(value as Message, buffers)).catch(() => {}); // the status says so
  };
  load();
  next(async () => ask());
  model.on("change:rows", load);
  const off = kernel.on("calls", (message, buffers) => receive(message as unknown as Message, buffers));
  const timer = setInterval(ask, SIGN_OF_LIFE_MS);
  document.addEventListener("visibilitychange", ask, { signal });
  signal.addEventListener("abort", () => {
    model.off("change:rows", load);
    off();
    clearInterval(timer);
  });
}
