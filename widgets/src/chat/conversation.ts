// The turns of the current branch: those that the model holds, those fetched from before, and the one that runs.
//
// Messages arrive faster than a page need be drawn; listeners are told once a frame.

import type { Kernel } from "../shared/kernel";
import type { Model } from "../shared/model";
import { grown, leadingTo, placed, reused } from "./changes";
import type { Growth, Placement, Turn } from "./types";

const EARLIER_COUNT = 50;
const HIDDEN_PAGE_MS = 200;

export class Conversation {
  turns: Turn[] = [];
  older: Turn[] = [];
  live: Turn | null = null;
  readonly #model: Model;
  readonly #kernel: Kernel;
  readonly #listeners = new Set<() => void>();
  #drawing: (() => void) | null = null;
  #asking = false;

  constructor(model: Model, kernel: Kernel) {
    this.#model = model;
    this.#kernel = kernel;
    this.#read();
  }

  /** Follow the kernel until the returned function is called. */
  start(): () => void {
    const read = () => this.#read();
    const endings = [
      this.#kernel.on("grow", (message) => this.#grow(message as unknown as Growth)),
      this.#kernel.on("block", (message) => this.#place(message as unknown as Placement)),
      this.#kernel.on("turn", (message) => this.#put(message.turn as Turn)),
    ];
    for (const name of ["turns", "earlier", "live"]) this.#model.on(`change:${name}`, read);
    this.#read();
    this.#fetchLive();
    return () => {
      for (const end of endings) end();
      for (const name of ["turns", "earlier", "live"]) this.#model.off(`change:${name}`, read);
      this.#drawing?.();
    };
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** All that can be shown, oldest first. */
  get shown(): Turn[] {
    const past = [...this.older, ...this.turns];
    return this.live && !past.some((turn) => turn.id === this.live?.id) ? [...past, this.live] : past;
  }

  /** How many turns lie before those shown. */
  get earlier(): number {
    const before = (this.#model.get("earlier") as number | undefined) ?? 0;
    return Math.max(0, before - this.older.length);
  }

  async showEarlier(): Promise<void> {
    const first = this.older[0] ?? this.turns[0];
    if (!first) return;
    const found = await this.#kernel.request<Turn[]>("earlier", { before: first.id, count: EARLIER_COUNT });
    this.older = leadingTo(this.turns, [...found, ...this.older]);
    this.#changed();
  }

  #read() {
    const next = (this.#model.get("turns") as Turn[] | undefined) ?? [];
    const known = [...this.older, ...this.turns, ...(this.live ? [this.live] : [])];
    this.older = leadingTo(next, known);
    this.turns = reused(known, next);
    const live = (this.#model.get("live") as Turn | null | undefined) ?? null;
    // Messages are ahead of the model's slow copy of a turn that runs. One that has ended is kept till it is in `turns`.
    const isEnded = this.live !== null && this.live.status !== "running";
    const isPast = next.some((turn) => turn.id === this.live?.id);
    if (live ? live.id !== this.live?.id : !isEnded || isPast || !this.#follows()) this.live = live;
    this.#changed();
  }

  #follows(): boolean {
    return (this.live?.parent ?? undefined) === this.turns.at(-1)?.id;
  }

  #grow(message: Growth) {
    this.#change(message.turn, (turn) => grown(turn, message));
  }

  #place(message: Placement) {
    this.#change(message.turn, (turn) => placed(turn, message));
  }

  #change(id: string, change: (turn: Turn) => Turn | null) {
    const changed = this.live?.id === id ? change(this.live) : null;
    if (!changed) return this.#fetchLive();
    this.live = changed;
    this.#changed();
  }

  #put(turn: Turn) {
    const place = this.turns.findIndex((each) => each.id === turn.id);
    if (place < 0) this.live = turn;
    else this.turns = this.turns.with(place, turn);
    this.#changed();
  }

  /** Ask for the whole turn that runs: after mount, and when a message was missed. */
  #fetchLive() {
    if (this.#asking || this.#kernel.status === "none") return;
    this.#asking = true;
    this.#kernel
      .request<Turn | null>("live")
      .then(
        (turn) => turn && this.#put(turn),
        () => {}, // the next message asks again
      )
      .finally(() => {
        this.#asking = false;
      });
  }

  #changed() {
    if (this.#drawing) return;
    const draw = () => {
      this.#drawing?.();
      for (const listener of this.#listeners) listener();
    };
    const frame = requestAnimationFrame(draw);
    const timer = setTimeout(draw, HIDDEN_PAGE_MS); // frames don't come in a page that is hidden
    this.#drawing = () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      this.#drawing = null;
    };
  }
}
