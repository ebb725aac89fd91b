// Requests to the kernel, each answered or refused, and the messages that it sends by itself.

import { onKernelEnd } from "./ending";
import type { Model } from "./model";
import { readiness } from "./ready";

const TIMEOUT_MS = 30_000;
const PATIENCE_MS = 3_000;
const LOST_MS = 5_000;
const SILENT = "The kernel doesn't answer. It is busy, or it has ended: run the cell again.";
const LOST =
  "The connection to the kernel was lost before it answered. If it is still there, look whether this was done.";

export class KernelError extends Error {
  readonly type: string;

  constructor(message: string, type: string) {
    super(message);
    this.type = type;
  }
}

/**
 * `waiting`: it hasn't answered yet, being busy or gone; `lost`: the frontend told that it has ended, and it hasn't been
 * heard since; `none`: a page without a kernel.
 */
export type Status = "live" | "waiting" | "lost" | "none";

interface Options {
  timeoutMs?: number;
  /** It is done whenever the kernel gets to it, so it fails only when the kernel is gone. */
  lasting?: boolean;
  buffers?: ArrayBuffer[];
}

interface Answer {
  value: unknown;
  buffers: DataView[];
}

interface Pending {
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
  isLasting: boolean;
}

type Handler = (message: Record<string, unknown>, buffers: DataView[]) => void;

export class Kernel {
  status: Status;
  readonly #model: Model;
  readonly #prefix = Math.random().toString(36).slice(2);
  readonly #watchers = new Set<() => void>();
  readonly #pending = new Map<string, Pending>();
  readonly #handlers = new Map<string, Set<Handler>>();
  #ready: Promise<unknown> | null;
  #count = 0;

  constructor(model: Model, signal?: AbortSignal) {
    this.#model = model;
    this.status = model.exported ? "none" : "live";
    this.#ready = readiness(model);
    this.#ready?.finally(() => {
      this.#ready = null;
    });
    const receive = (message: Record<string, unknown>, buffers: DataView[]) => this.#receive(message, buffers);
    const gone = () => this.#lose();
    model.on("msg:custom", receive);
    model.on("comm_live_update", gone);
    const forget = onKernelEnd(model, gone);
    signal?.addEventListener("abort", () => {
      forget();
      model.off("msg:custom", receive);
      model.off("comm_live_update", gone);
    });
    this.#greet();
  }

  /** Ask the kernel to do something; rejects with a `KernelError` that can be shown. */
  async request<T = unknown>(op: string, args: Record<string, unknown> = {}, options: Options = {}): Promise<T> {
    return (await this.ask(op, args, options)).value as T;
  }

  /** Do what `request` does, and return the binary part of the answer too. */
  ask(op: string, args: Record<string, unknown> = {}, options: Options = {}) {
    if (this.#model.exported) {
      return Promise.reject(new KernelError("This page is a record: there is no kernel to ask.", "no_kernel"));
    }
    this.#count += 1;
    const id = `${this.#prefix}-${this.#count}`;
    return new Promise<Answer>((resolve, reject) => {
      const isLost = this.status === "lost";
      const isLasting = options.lasting === true && !isLost;
      const timeoutMs = isLost ? LOST_MS : (options.timeoutMs ?? TIMEOUT_MS);
      const timers = this.#timers(id, isLasting ? null : timeoutMs);
      const settle =
        <A>(then: (answer: A) => void) =>
        (answer: A) => {
          for (const timer of timers) clearTimeout(timer);
          this.#pending.delete(id);
          then(answer);
        };
      this.#pending.set(id, { resolve: settle(resolve), reject: settle(reject), isLasting });
      const send = () => this.#model.send({ id, op, args }, undefined, options.buffers);
      if (this.#ready) this.#ready.finally(send);
      else send();
    });
  }

  /** First the view is told that the kernel is slow; after the time-out, if there is one, the request fails. */
  #timers(id: string, timeoutMs: number | null) {
    const patience = setTimeout(() => this.#setStatus("waiting"), PATIENCE_MS);
    if (timeoutMs === null) return [patience];
    const timer = setTimeout(() => {
      this.#setStatus("waiting");
      this.#pending.get(id)?.reject(new KernelError(SILENT, "timeout"));
    }, timeoutMs);
    return [patience, timer];
  }

  #lose() {
    this.#setStatus("lost");
    for (const each of [...this.#pending.values()]) if (each.isLasting) each.reject(new KernelError(LOST, "lost"));
  }

  /** Call `handler` at each message of that kind; returns how to stop that. */
  on(event: string, handler: Handler): () => void {
    const handlers = this.#handlers.get(event) ?? new Set();
    this.#handlers.set(event, handlers.add(handler));
    return () => handlers.delete(handler);
  }

  /** Call `watcher` whenever the status changes; returns how to stop that. */
  onStatus(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #receive(message: Record<string, unknown>, buffers: DataView[]) {
    if (typeof message.event === "string") {
      this.#hear();
      for (const handler of this.#handlers.get(message.event) ?? []) handler(message, buffers);
      return;
    }
    const pending = this.#pending.get(String(message.id));
    if (!pending) return; // another view's
    this.#hear();
    const error = message.error as { message: string; type: string } | undefined;
    if (error) pending.reject(new KernelError(error.message, error.type));
    else pending.resolve({ value: message.ok, buffers });
  }

  /** Find out whether a kernel is there: a saved view looks the same without one. */
  #greet() {
    if (this.#model.exported) return;
    this.request("ping", {}, { timeoutMs: 24 * 3600 * 1000 }).catch(() => {});
  }

  #hear() {
    this.#setStatus("live");
  }

  #setStatus(status: Status) {
    if (this.status === status || this.status === "none") return;
    if (this.status === "lost" && status === "waiting") return;
    this.status = status;
    for (const watcher of this.#watchers) watcher();
  }
}
