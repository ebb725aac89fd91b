// What the kernel sends of a recording. Its events are a stranger's: nothing about them is sure.

export type RawEvent = Record<string, unknown>;

export interface Violation {
  rule: string;
  sentence: string;
  message: string;
  event: number | null;
  frame: number | null;
}

export interface Frame {
  seconds: number;
  text: string;
}

export interface Packed {
  id: string | null;
  source: string;
  status: string;
  goes_on: boolean;
  rebuilt: boolean;
  spoken: "responses" | "chat";
  started_at: string | null;
  notes: string[];
  request: unknown;
  events: RawEvent[];
  times: number[];
  total: number;
  frames: Frame[];
  rules: number;
  violations: Violation[];
  violation_count: number;
}

/** A run that may be chosen. */
export interface Listed {
  id: string;
  source: string;
  at: string;
  words: string;
  status: string;
}

export type Side = "run" | "other";
