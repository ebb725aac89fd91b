// Requests whose errors are shown where they were made.

import type { ComponentChildren } from "preact";
import { useCallback, useState } from "preact/hooks";
import { useKernel } from "../shared/state";
import { Notice } from "../shared/ui";

export interface Asking {
  /** The answer; undefined when it failed, which `trouble` shows. */
  ask: <T>(op: string, args?: Record<string, unknown>) => Promise<T | undefined>;
  attempt: <T>(work: () => Promise<T>) => Promise<T | undefined>;
  busy: boolean;
  trouble: ComponentChildren;
  /** That the kernel hasn't taken a request yet, shown once it takes long. */
  waiting: ComponentChildren;
  fail: (message: string) => void;
}

/** What a person asked for is done whenever the kernel gets to it: giving up on it would invite to ask twice. */
export function useAsking(): Asking {
  const kernel = useKernel();
  const [working, setWorking] = useState(0);
  const [asking, setAsking] = useState(0);
  const [error, setError] = useState("");
  const attempt = useCallback(async <T,>(work: () => Promise<T>) => {
    setError("");
    setWorking((count) => count + 1);
    try {
      return await work();
    } catch (reason) {
      setError((reason as Error).message);
      return undefined;
    } finally {
      setWorking((count) => count - 1);
    }
  }, []);
  const ask = useCallback(
    <T,>(op: string, args: Record<string, unknown> = {}) => {
      setAsking((count) => count + 1);
      const asked = kernel.request<T>(op, args, { lasting: true });
      return attempt(() => asked.finally(() => setAsking((count) => count - 1)));
    },
    [kernel, attempt],
  );
  const trouble = error && <Notice kind="error">{error}</Notice>;
  const waiting = asking > 0 && <p class="ab-hint ab-late">Waiting for the kernel. It may be busy with a cell.</p>;
  return { ask, attempt, busy: working > 0, trouble, waiting, fail: setError };
}
