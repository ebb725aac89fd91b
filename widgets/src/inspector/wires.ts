// The same run on other wires: what the kernel says our surfaces would send, or what was received.

import { useEffect, useState } from "preact/hooks";
import { unpack } from "../shared/packed";
import { useKernel, useTrait } from "../shared/state";
import { placeOf } from "./filter";
import type { Run } from "./run";
import type { Side } from "./types";

export type Wire = "events" | "responses" | "chat" | "anthropic" | "ollama" | "received";

/** What was sent, and which event caused it. */
export interface Sent {
  index: number;
  text: string;
}

export type Loaded = { frames: Sent[] } | { error: string };
type Exported = Partial<Record<Side, Partial<Record<Wire, Loaded>>>>;

const asked = new WeakMap<Run, Map<Wire, Promise<Loaded>>>();

/** The events themselves, one a line. */
function own(run: Run): Sent[] {
  return run.events.map((event, index) => ({ index, text: `${JSON.stringify(event)}\n` }));
}

const came = new WeakMap<Run, Sent[]>();

/** The frames as they came, each with the first event that came no earlier. */
export function received(run: Run): Sent[] {
  const known =
    came.get(run) ??
    run.frames.map(({ seconds, text }) => {
      const before = placeOf(run.scale, seconds - 1e-9);
      return { index: Math.min(before + 1, run.events.length - 1), text };
    });
  came.set(run, known);
  return known;
}

/** A run's frames on a wire; null while they are being fetched. */
export function useWire(run: Run, wire: Wire, side: Side): Loaded | null {
  const kernel = useKernel();
  const exported = useTrait<DataView | null>("wires");
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  useEffect(() => {
    let current = true;
    setLoaded(null);
    const known = asked.get(run) ?? new Map<Wire, Promise<Loaded>>();
    asked.set(run, known);
    const fetch = async (): Promise<Loaded> => {
      if (wire === "events") return { frames: own(run) };
      if (wire === "received") return { frames: received(run) };
      const saved = await unpack<Exported>(exported);
      if (saved) return saved[side]?.[wire] ?? { error: "This page doesn't hold that protocol." };
      const { buffers } = await kernel.ask("wire", { wire, side });
      return { frames: (await unpack<Sent[]>(buffers[0])) ?? [] };
    };
    const promise = known.get(wire) ?? fetch();
    known.set(wire, promise);
    promise
      .catch((error: Error) => {
        known.delete(wire); // it may work the next time
        return { error: error.message };
      })
      .then((value) => current && setLoaded(value));
    return () => {
      current = false;
    };
  }, [run, wire, side, exported, kernel]);
  return loaded;
}

/** All of it as one text. */
export function joined(frames: readonly Sent[], most = Number.POSITIVE_INFINITY): string {
  const pieces: string[] = [];
  let length = 0;
  for (const { text } of frames) {
    pieces.push(text.endsWith("\n") ? text : `${text}\n`);
    length += text.length;
    if (length > most) break;
  }
  return pieces.join("").slice(0, Number.isFinite(most) ? most : undefined);
}
