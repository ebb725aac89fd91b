// Requests to the kernel, and what came of the last one.

import { useCallback, useMemo, useState } from "preact/hooks";
import { useKernel } from "./state";

export interface Told {
  kind: "info" | "error";
  text: string;
}

export interface Requests {
  told: Told | null;
  /** Resolves when the kernel has answered, to whether it did what was asked; a refusal is in `told`. */
  run: (op: string, args?: Record<string, unknown>) => Promise<boolean>;
  dismiss: () => void;
}

/** `says` are the operations whose answers are sentences to show. */
export function useRequests(says: ReadonlySet<string>): Requests {
  const kernel = useKernel();
  const [told, setTold] = useState<Told | null>(null);
  const run = useCallback(
    async (op: string, args: Record<string, unknown> = {}) => {
      try {
        const answer = await kernel.request<string | null>(op, args);
        if (says.has(op)) setTold({ kind: "info", text: String(answer) });
        else setTold((before) => (before?.kind === "error" ? null : before));
        return true;
      } catch (error) {
        setTold({ kind: "error", text: (error as Error).message });
        return false;
      }
    },
    [kernel, says],
  );
  return useMemo(() => ({ told, run, dismiss: () => setTold(null) }), [told, run]);
}
