// A model with no kernel behind it: tests see what was sent and answer as the kernel would.

import type { Model } from "../src/shared/model";

type Listener = (...values: never[]) => void;

export type Reply = { ok: unknown } | { error: { message: string; type: string } };

export interface Request {
  id: string;
  op: string;
  args: Record<string, unknown>;
}

export class FakeModel {
  readonly sent: Request[] = [];
  readonly saved: Record<string, unknown>[] = [];
  exported = false;
  widget_manager: unknown;
  readonly #traits: Record<string, unknown>;
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(traits: Record<string, unknown> = {}) {
    this.#traits = { ...traits };
  }

  get = (name: string) => this.#traits[name];

  set = (name: string, value: unknown) => {
    this.#traits[name] = value;
    this.#emit(`change:${name}`);
  };

  save_changes = () => {
    this.saved.push({ ...this.#traits });
  };

  send = (content: unknown) => {
    this.sent.push(content as Request);
  };

  on = (event: string, listener: Listener) => {
    this.#listeners.set(event, (this.#listeners.get(event) ?? new Set()).add(listener));
  };

  off = (event?: string | null, listener?: Listener | null) => {
    if (event && listener) this.#listeners.get(event)?.delete(listener);
  };

  /** Deliver a message as the kernel sends it. */
  receive(message: Record<string, unknown>, buffers: DataView[] = []) {
    this.#emit("msg:custom", message, buffers);
  }

  /** Let the connection to the kernel be lost. */
  lose() {
    this.#emit("comm_live_update");
  }

  /** Answer the newest request of that operation. */
  answer(op: string, reply: Reply, buffers: DataView[] = []) {
    const request = this.requests(op).at(-1);
    if (!request) throw new Error(`nobody asked for ${op}`);
    this.receive({ id: request.id, ...reply }, buffers);
  }

  requests(op: string): Request[] {
    return this.sent.filter((each) => each.op === op);
  }

  /** The same, as the widgets' code sees it. */
  get model(): Model {
    return this as unknown as Model;
  }

  #emit(event: string, ...values: unknown[]) {
    for (const listener of this.#listeners.get(event) ?? []) listener(...(values as never[]));
  }
}
