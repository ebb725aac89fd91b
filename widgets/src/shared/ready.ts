// When a view may talk to its kernel.
//
// JupyterLab moves the comms of a kernel to a thread of their own ("subshell"), which it starts when the first comm
// opens. A message that comes before goes to the main shell; ipykernel 7.4 handles it between two steps of a cell that
// awaits, and may then take the cell that runs next for the one before: that one never ends, and "Run all" hangs.

import type { Model } from "./model";

const LONGEST_MS = 2_000;

interface Comm {
  subshellStarted?: Promise<void>;
}

interface Manager {
  kernel?: { supportsSubshells?: boolean; _comms?: Map<string, Comm> };
}

/** Return a promise of the moment; null where messages can go at once, as in frontends without subshells. */
export function readiness(model: Model): Promise<unknown> | null {
  const kernel = (model.widget_manager as Manager | undefined)?.kernel;
  const started = [...(kernel?._comms?.values() ?? [])].flatMap((comm) => comm.subshellStarted ?? []);
  if (started.length === 0 || kernel?.supportsSubshells === false) return null;
  return Promise.race([Promise.any(started), new Promise((resolve) => setTimeout(resolve, LONGEST_MS))]);
}
