// What the kernel tells of a conversation. Its HTML was made safe there.

export type TurnStatus = "running" | "completed" | "incomplete" | "failed" | "stopped";
export type BlockKind = "text" | "json" | "refusal" | "reasoning" | "call" | "output" | "search";
export type BlockState = "running" | "waiting" | "done" | "failed" | "refused";

export interface CallResult {
  html: string[];
  images: string[];
  note: string;
}

/** A part of an answer. `html` holds its top-level pieces, of which only the last ones change while it grows. */
export interface Block {
  key: string;
  kind: BlockKind;
  html: string[];
  name: string;
  arguments: string;
  seconds: number | null;
  state: BlockState;
  call_id: string;
  images: string[];
  note: string;
  result?: CallResult | null;
  found?: Found | null;
}

/** A passage that the answer may cite as `[n]`; a long one is cut here. */
export interface Passage {
  n: number;
  title: string;
  url: string | null;
  score: number;
  text: string;
}

export interface Found {
  line: string;
  passages: Passage[];
}

/** What an answer refers to; `n` is the number of a passage, which isn't always cited. */
export interface Source {
  title: string;
  url: string | null;
  quote: string;
  n?: number | null;
  cited?: boolean;
}

export type DocumentState = "uploading" | "waiting" | "reading" | "embedding" | "ready" | "failed";

/** Something that the answers rest on. While it is uploaded `done` and `total` are bytes, afterwards passages. */
export interface ChatDocument {
  key: string;
  kind: "file" | "collection" | "url" | "text";
  id: string;
  name: string;
  state: DocumentState;
  done: number;
  total: number;
  error: string;
  retry: boolean;
}

export interface Library {
  collections: { id: string; name: string; files: number }[];
  files: { id: string; name: string; size: number; status: string }[];
}

export interface Usage {
  line: string;
  input: number | null;
  output: number | null;
  cost: number | null;
  seconds: number | null;
  first: number | null;
}

export interface Question {
  text: string;
  html: string;
  /** Addresses that hold the image, or `held:` and its number for one that is fetched. */
  images: string[];
}

export interface Turn {
  id: string;
  parent: string | null;
  question: Question;
  blocks: Block[];
  status: TurnStatus;
  note: string;
  usage: Usage | null;
  /** The branches at this place, this one among them, oldest first. */
  siblings: string[];
  agent: string;
  model: string;
  at: string;
  sources: Source[];
}

export interface Agent {
  id: string;
  name: string;
  model: string;
  images: boolean;
}

export interface Totals {
  turns: number;
  line: string;
}

export interface Growth {
  turn: string;
  block: number;
  from: number;
  html: string[];
}

export interface Placement {
  turn: string;
  index: number;
  block: Block;
}
