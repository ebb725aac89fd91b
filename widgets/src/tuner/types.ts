// What the kernel tells of settings; `Row` in config/tuning.py says what each means.

export type Kind =
  | "text"
  | "long_text"
  | "number"
  | "integer"
  | "boolean"
  | "choice"
  | "list"
  | "mapping"
  | "structured";

export interface Field {
  key: string;
  kind: Kind;
  group: string;
  what: string;
  required: boolean;
  default: string;
  example: string;
  choices: string[];
  minimum: number | null;
  above: number | null;
  maximum: number | null;
  secret: boolean;
  fixed: string;
}

export interface Said {
  text: string;
  layer: string;
  origin: string;
  name: string;
}

export type Value = string | number | boolean | null | string[] | Record<string, string>;

export interface Row {
  field: Field;
  now: Said;
  default: string;
  overrode: Said[];
  parts: Said[];
  here: "session" | "file" | "";
  value: Value;
  pending: boolean;
  unset: boolean;
  error: string;
}

export const MASK = "****";

/** Where a value is from, as people read it. */
export function place(said: Said): string {
  return said.layer === "default" ? said.origin : `${said.layer} · ${said.origin}`;
}

/** Return the rows that a filter leaves: each of its words is in the key, its description or its value. */
export function chosen(rows: readonly Row[], filter: string, onlyChanged: boolean): Row[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (onlyChanged && row.now.layer === "default" && !row.pending) return false;
    const text =
      `${row.field.key} ${row.field.what} ${row.field.group} ${row.now.text} ${place(row.now)}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** Return the rows by group, in the order in which the groups come. */
export function grouped(rows: readonly Row[]): [string, Row[]][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(row.field.group, [...(groups.get(row.field.group) ?? []), row]);
  return [...groups];
}

/** Say in words which numbers fit. */
export function limits({ minimum, above, maximum }: Field): string {
  const parts = [
    minimum === null ? "" : `at least ${minimum}`,
    above === null ? "" : `more than ${above}`,
    maximum === null ? "" : `at most ${maximum}`,
  ];
  return parts.filter(Boolean).join(", ");
}
