// What can be done to a config: requests to the kernel, and what came of the last one.

import { useMemo } from "preact/hooks";
import { type Requests, useRequests } from "../shared/requests";
import type { Value } from "./types";

export interface Actions extends Requests {
  put: (endpoint: string, key: string, value: Value) => Promise<void>;
}

const SAYS: ReadonlySet<string> = new Set(["apply", "save", "undo", "redo"]);

export function useActions(): Actions {
  const requests = useRequests(SAYS);
  return useMemo(
    () => ({
      ...requests,
      put: async (endpoint, key, value) => void (await requests.run("put", { endpoint, key, value })),
    }),
    [requests],
  );
}
