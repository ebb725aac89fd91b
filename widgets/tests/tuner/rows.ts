// Rows as the kernel sends them.

import type { Field, Row } from "../../src/tuner/types";

export function row(
  key: string,
  about: Partial<Omit<Row, "field" | "now">> & { field?: Partial<Field>; now?: Partial<Row["now"]> } = {},
): Row {
  const { field, now, ...rest } = about;
  return {
    field: {
      key,
      kind: "text",
      group: "Answers",
      what: "",
      required: false,
      default: "",
      example: "",
      choices: [],
      minimum: null,
      above: null,
      maximum: null,
      secret: false,
      fixed: "",
      ...field,
    },
    now: { text: "", layer: "default", origin: "built in", name: "", ...now },
    default: "",
    overrode: [],
    parts: [],
    here: "",
    value: null,
    pending: false,
    unset: false,
    error: "",
    ...rest,
  };
}

export const ROWS: Row[] = [
  row("apiKey", { field: { secret: true, group: "General", what: "its key" }, value: "****", here: "file" }),
  row("streamRate", {
    field: { kind: "number", what: "milliseconds between pieces; `0`: none", minimum: 0, example: "25" },
    now: { text: "25", layer: "endpoint", origin: "agentbench.yaml:6" },
    overrode: [
      { text: "5", layer: "environment", origin: "environment variable RATE", name: "" },
      { text: "1", layer: "default", origin: "built in", name: "" },
    ],
    default: "1",
    value: 25,
    here: "file",
  }),
  row("titleConvo", { field: { kind: "boolean", group: "Titles" }, now: { text: "false" }, value: false }),
  row("titleTiming", {
    field: { kind: "choice", group: "Titles", choices: ["immediate", "final"] },
    value: "immediate",
  }),
  row("dropParams", { field: { kind: "list", group: "Requests" }, value: ["user"] }),
  row("headers", {
    field: { kind: "mapping", group: "Requests" },
    value: { "X-Team": "sky", Authorization: "****" },
    parts: [
      { name: "X-Team", text: "sky", layer: "endpoint", origin: "agentbench.yaml:8" },
      { name: "X-All", text: "a", layer: "all", origin: "agentbench.yaml:20" },
    ],
  }),
  row("addParams", { field: { kind: "structured", group: "Requests" }, value: "top_k: 40" }),
  row("name", { field: { group: "General", fixed: "other keys name the endpoint by it" }, value: "router" }),
];

export const TRAITS = {
  endpoints: ["openAI", "router", "all", "agents"],
  endpoint: "openAI",
  fields: ROWS,
  file: "agentbench.yaml",
  pending: [] as string[],
  session: [] as string[],
  problems: [] as string[],
  undoes: "",
  redoes: "",
};
