// Documents on their way to the kernel, in pieces, each sent when the one before has come.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Kernel } from "../shared/kernel";
import type { Model } from "../shared/model";
import { useTrait, useView } from "../shared/state";
import { Notice } from "../shared/ui";
import { useChat } from "./context";
import type { ChatDocument } from "./types";

const PIECE_BYTES = 256 * 1024;

export interface Documents {
  all: readonly ChatDocument[];
  add: (files: readonly File[]) => void;
  remove: (document: ChatDocument) => void;
  retry: (document: ChatDocument) => void;
  trouble: preact.ComponentChildren;
}

export function useDocuments(): Documents {
  const { model, kernel } = useView();
  const all = useTrait<ChatDocument[] | undefined>("documents") ?? [];
  const [errors, setErrors] = useState<string[]>([]);
  const last = useRef<Promise<void>>(Promise.resolve());
  useAnnounced(all);
  const told = useCallback((error: unknown) => setErrors((known) => [...known, (error as Error).message]), []);
  const ask = (op: string, { key }: ChatDocument) => {
    setErrors([]);
    kernel.request(op, { key }, { lasting: true }).catch(told);
  };
  const add = (files: readonly File[]) => {
    if (files.length > 0) setErrors([]);
    for (const file of files) {
      const begun = begin(kernel, file);
      begun.catch(told);
      last.current = last.current
        .then(() => begun)
        .then((key) => send(kernel, model, key, file))
        .catch(() => {}); // it was told, or the document says so itself
    }
  };
  const trouble = errors.map((error, index) => (
    <Notice key={index} kind="error">
      {error}
    </Notice>
  ));
  return { all, add, remove: (each) => ask("unpick", each), retry: (each) => ask("reprocess", each), trouble };
}

/** Announce a file; returns the key that it goes by. */
async function begin(kernel: Kernel, file: File): Promise<string> {
  const key = `up-${Math.random().toString(36).slice(2)}`;
  await kernel.request("upload", { key, name: file.name || "pasted", size: file.size }, { lasting: true });
  return key;
}

/** Send a file's pieces, until it is whole or was removed. */
async function send(kernel: Kernel, model: Model, key: string, file: File): Promise<void> {
  const isThere = () => (model.get("documents") as ChatDocument[]).some((each) => each.key === key);
  for (let at = 0; at < file.size && isThere(); at += PIECE_BYTES) {
    const piece = await file.slice(at, at + PIECE_BYTES).arrayBuffer();
    await kernel.request("piece", { key, at }, { lasting: true, buffers: [piece] });
  }
}

/** Says to screen readers which document is ready now, or failed. */
function useAnnounced(all: readonly ChatDocument[]) {
  const { announce } = useChat();
  const known = useRef(new Map<string, string>());
  useEffect(() => {
    for (const { key, name, state, error } of all) {
      const before = known.current.get(key);
      if (before === undefined || before === state) continue;
      if (state === "ready") announce(`${name} is ready.`);
      if (state === "failed") announce(`${name} failed. ${error}`);
    }
    known.current = new Map(all.map(({ key, state }) => [key, state]));
  }, [all, announce]);
}
