// When a kernel ends. Its comms don't tell of every way to end, so the notebook's session is listened to as well.

import type { Model } from "./model";

type Slot = (sender: unknown, status: string) => void;

interface Session {
  statusChanged?: { connect(slot: Slot): void; disconnect(slot: Slot): void };
}

const ENDED = new Set(["restarting", "autorestarting", "terminating", "dead"]);

/** Call `gone` when the kernel has ended, where the frontend lets us know; returns how to stop that. */
export function onKernelEnd(model: Model, gone: () => void): () => void {
  const manager = model.widget_manager as { context?: { sessionContext?: Session } } | undefined;
  const changed = manager?.context?.sessionContext?.statusChanged;
  const hear: Slot = (_, status) => {
    if (ENDED.has(status)) gone();
  };
  changed?.connect(hear);
  return () => changed?.disconnect(hear);
}
