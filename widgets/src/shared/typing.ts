// A control's value while somebody types: theirs first, the kernel's once it has taken it in.

import { useEffect, useRef, useState } from "preact/hooks";

const DEBOUNCE_MS = 250;

/** What the kernel says of a control. */
export interface Standing {
  pending: boolean;
  error: string;
}

export interface Typing<V> {
  value: V;
  /** `now`: don't wait for more, as with a checkbox. */
  change: (value: V, now?: boolean) => void;
  /** The control has lost the focus. */
  leave: () => void;
}

/** `shown` is what the kernel says; what was typed stays as long as it is edited, or wrong. */
export function useTyping<V>(row: Standing, shown: V, put: (value: V) => Promise<void>): Typing<V> {
  const [typed, setTyped] = useState<{ value: V } | null>(null);
  const [isSettled, setSettled] = useState(true);
  const outbox = useRef(new Outbox<V>());
  outbox.current.put = put;

  // What was typed before a reset or an apply is over.
  const wasPending = useRef(row.pending);
  useEffect(() => {
    if (wasPending.current && !row.pending && !outbox.current.isWaiting) setTyped(null);
    wasPending.current = row.pending;
  }, [row.pending]);
  useEffect(() => () => void outbox.current.flush(), []);

  const change = (value: V, now = false) => {
    setTyped({ value });
    setSettled(false);
    outbox.current.add(value, now ? 0 : DEBOUNCE_MS);
  };
  const leave = async () => {
    await outbox.current.flush();
    setSettled(true);
  };
  const isOver = typed === null || (isSettled && row.error === "");
  return { value: isOver ? shown : typed.value, change, leave: () => void leave() };
}

/** Sends the last of several values, after a while of silence. */
class Outbox<V> {
  put: (value: V) => Promise<void> = () => Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #last: (() => Promise<void>) | null = null;

  get isWaiting(): boolean {
    return this.#last !== null;
  }

  add(value: V, ms: number) {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const { put } = this; // of the endpoint that is shown now
    this.#last = () => put(value);
    this.#timer = setTimeout(() => void this.flush(), ms);
  }

  async flush() {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const last = this.#last;
    this.#timer = this.#last = null;
    await last?.();
  }
}
