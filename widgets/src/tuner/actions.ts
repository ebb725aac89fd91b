// What can be done to a config: requests to the kernel, and what came of the last one.

import { useCallback, useMemo, useState } from "preact/hooks";
import { useKernel } from "../shared/state";
import type { Value } from "./types";

export interface Told {
  kind: "info" | "error";
  text: string;
}

export interface Actions {
  told: Told | null;
  /** Resolves when the kernel has answered; a refusal is in `told`. */
  run: (op: string, args?: Record<string, unknown>) => Promise<void>;
  put: (endpoint: string, key: string, value: Value) => Promise<void>;
  dismiss: () => void;
}

const SAYS = new Set(["apply", "save", "undo", "redo"]);

export function useActions(): Actions {
  const kernel = useKernel();
  const [told, setTold] = useState<Told | null>(null);
  const run = useCallback(
    async (op: string, args: Record<string, unknown> = {}) => {
      try {
        const answer = await kernel.request<string | null>(op, args);
        if (SAYS.has(op)) setTold({ kind: "info", text: String(answer) });
        else setTold((before) => (before?.kind === "error" ? null : before));
      } catch (error) {
        setTold({ kind: "error", text: (error as Error).message });
      }
    },
    [kernel],
  );
  return useMemo(
    () => ({
      told,
      run,
      put: (endpoint, key, value) => run("put", { endpoint, key, value }),
      dismiss: () => setTold(null),
    }),
    [told, run],
  );
}
