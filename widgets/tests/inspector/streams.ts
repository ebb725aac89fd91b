// Recordings as the kernel sends them.

import { type Run, runOf } from "../../src/inspector/run";
import type { Packed, RawEvent } from "../../src/inspector/types";

export function packedOf(events: RawEvent[], times: number[] = [], more: Partial<Packed> = {}): Packed {
  return {
    id: "resp_1",
    source: "scripted/plain",
    status: "completed",
    goes_on: false,
    rebuilt: false,
    spoken: "responses",
    started_at: "2026-11-23T12:00:00Z",
    notes: [],
    request: null,
    events,
    times,
    total: events.length,
    frames: [],
    rules: 58,
    violations: [],
    violation_count: 0,
    ...more,
  };
}

/** A turn with reasoning, a call, its result and an answer of these words. */
export function events(words: string[] = ["Rain ", "in ", "Oslo."]): RawEvent[] {
  const call = { type: "function_call", id: "fc_1", call_id: "call_1", name: "weather", arguments: "" };
  const message = { type: "message", id: "msg_1", content: [] as unknown[] };
  const result = { type: "function_call_output", id: "fco_1", call_id: "call_1", output: "4 degrees" };
  return [
    { type: "response.created", response: { id: "resp_1", usage: null } },
    { type: "response.output_item.added", output_index: 0, item: { type: "reasoning", id: "rs_1" } },
    { type: "response.reasoning.delta", output_index: 0, delta: "Look it up." },
    { type: "response.output_item.done", output_index: 0, item: { type: "reasoning", id: "rs_1" } },
    { type: "response.output_item.added", output_index: 1, item: call },
    { type: "response.function_call_arguments.delta", output_index: 1, delta: '{"city":"Oslo"}' },
    { type: "response.output_item.done", output_index: 1, item: { ...call, arguments: '{"city":"Oslo"}' } },
    { type: "response.output_item.added", output_index: 2, item: result },
    { type: "response.output_item.done", output_index: 2, item: result },
    { type: "response.output_item.added", output_index: 3, item: message },
    ...words.map((delta) => ({ type: "response.output_text.delta", output_index: 3, delta })),
    {
      type: "response.output_item.done",
      output_index: 3,
      item: { ...message, content: [{ type: "output_text", text: words.join("") }] },
    },
    { type: "response.completed", response: { id: "resp_1", usage: { input_tokens: 12, output_tokens: 7 } } },
  ];
}

/** The same, each event a tenth of a second after the one before. */
export function timed(words?: string[], more: Partial<Packed> = {}): Run {
  const made = events(words);
  return runOf(
    packedOf(
      made,
      made.map((_, index) => index / 10),
      more,
    ),
  );
}

export async function gzipped(value: unknown): Promise<DataView> {
  const stream = new Blob([JSON.stringify(value)]).stream().pipeThrough(new CompressionStream("gzip"));
  return new DataView(await new Response(stream).arrayBuffer());
}
