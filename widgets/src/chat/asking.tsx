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
  fail: (message: string) => void;
}

export function useAsking(): Asking {
  const kernel = useKernel();
  const [waiting, setWaiting] = useState(0);
  const [error, setError] = useState("");
  const attempt = useCallback(async <T,>(work: () => Promise<T>) => {
    setError("");
    setWaiting((count) => count + 1);
    try {
      return await work();
    } catch (reason) {
      setError((reason as Error).message);
      return undefined;
    } finally {
      setWaiting((count) => count - 1);
    }
  }, []);
  const ask = useCallback(
    <T,>(op: string, args: Record<string, unknown> = {}) => attempt(() => kernel.request<T>(op, args)),
    [kernel, attempt],
  );
  const trouble = error && <Notice kind="error">{error}</Notice>;
  return { ask, attempt, busy: waiting > 0, trouble, fail: setError };
}
