// JSON that folds. What is folded isn't drawn, so that neither depth nor length can stall the page.

import { useMemo, useState } from "preact/hooks";

const OPEN_DEPTH = 3;
const OPEN_SIZE = 30;
const MOST_ITEMS = 200;
const MOST_CHARACTERS = 2000;
const LONGEST_INNER = 1_000_000;

export function JsonTree({ value }: { value: unknown }) {
  return (
    <div class="abi-json ab-mono">
      <Node value={value} depth={0} />
    </div>
  );
}

interface NodeProps {
  name?: string;
  value: unknown;
  depth: number;
}

function Node({ name, value, depth }: NodeProps) {
  if (typeof value !== "object" || value === null || Object.keys(value).length === 0) {
    return (
      <div>
        <Key name={name} />
        <Leaf value={value} />
      </div>
    );
  }
  return <Folding {...(name === undefined ? {} : { name })} value={value} depth={depth} />;
}

function Folding({ name, value, depth }: NodeProps & { value: object }) {
  const entries = Object.entries(value);
  const [open, setOpen] = useState(depth < OPEN_DEPTH && entries.length <= OPEN_SIZE);
  const [most, setMost] = useState(MOST_ITEMS);
  const isList = Array.isArray(value);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Key name={name} />
        <span class="ab-muted">{isList ? `[${entries.length}]` : `{${entries.length}}`}</span>
      </summary>
      {open && (
        <div class="abi-nested">
          {entries.slice(0, most).map(([key, each]) => (
            <Node key={key} name={key} value={each} depth={depth + 1} />
          ))}
          {entries.length > most && (
            <button type="button" class="ab-button" onClick={() => setMost(most + MOST_ITEMS)}>
              {entries.length - most} more
            </button>
          )}
        </div>
      )}
    </details>
  );
}

function Key({ name }: { name: string | undefined }) {
  return name === undefined ? null : <span class="abi-key">{name}: </span>;
}

function Leaf({ value }: { value: unknown }) {
  const [whole, setWhole] = useState(false);
  const text = JSON.stringify(value) ?? "undefined";
  const cut = !whole && text.length > MOST_CHARACTERS;
  return (
    <span class={`abi-${typeof value}`}>
      {cut ? text.slice(0, MOST_CHARACTERS) : text}
      {cut && (
        <button type="button" class="ab-button" onClick={() => setWhole(true)}>
          … all {text.length.toLocaleString("en-US")} characters
        </button>
      )}
      {typeof value === "string" && <Inner text={value} />}
    </span>
  );
}

/** The JSON that a string holds, as arguments and results of calls do. */
function Inner({ text }: { text: string }) {
  const [open, setOpen] = useState(false);
  const value = useMemo(() => parsed(text), [text]);
  if (value === null) return null;
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="ab-muted">as JSON</summary>
      {open && (
        <div class="abi-nested">
          <Node value={value} depth={0} />
        </div>
      )}
    </details>
  );
}

function parsed(text: string): object | null {
  if (!/^\s*[[{]/.test(text) || text.length > LONGEST_INNER) return null;
  try {
    return JSON.parse(text) as object;
  } catch {
    return null;
  }
}
