// Names and values, such as headers: a line each, and an empty one for the next.

import { useTyping } from "../shared/typing";
import type { ControlProps } from "./controls";
import { MASK } from "./types";

type Entry = [name: string, value: string];

/** A list keeps the order and the names that are there twice for a moment; the kernel gets a mapping. */
export function Mapping({ row, id, describedBy, put }: ControlProps) {
  const shown = Object.entries((row.value ?? {}) as Record<string, string>).flat();
  const typing = useTyping(row, shown, (flat) => put(Object.fromEntries(named(entriesOf(flat)))));
  const entries = entriesOf(typing.value);
  const change = (next: Entry[], now = false) => typing.change(next.flat(), now);
  const edit = (index: number, entry: Entry) =>
    change([...entries.slice(0, index), entry, ...entries.slice(index + 1)]);
  const lines: Entry[] = [...entries, ["", ""]];
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset can't be laid out as a grid in every browser
    <div class="ab-mapping" role="group" aria-label={row.field.key} aria-describedby={describedBy}>
      {lines.map(([name, value], index) => (
        <Line
          key={index}
          id={index === 0 ? id : undefined}
          entry={[name, value]}
          label={`${row.field.key} ${index + 1}`}
          isWrong={row.error !== "" && index < entries.length}
          onChange={(entry) => edit(index, entry)}
          onLeave={typing.leave}
          onRemove={
            index < entries.length
              ? () =>
                  change(
                    entries.filter((_, at) => at !== index),
                    true,
                  )
              : undefined
          }
        />
      ))}
    </div>
  );
}

interface LineProps {
  id: string | undefined;
  entry: Entry;
  label: string;
  isWrong: boolean;
  onChange: (entry: Entry) => void;
  onLeave: () => void;
  onRemove: (() => void) | undefined;
}

function Line({ id, entry: [name, value], label, isWrong, onChange, onLeave, onRemove }: LineProps) {
  const isMasked = value.includes(MASK);
  return (
    <>
      <input
        id={id}
        aria-label={`${label}, name`}
        placeholder="name"
        spellcheck={false}
        autocomplete="off"
        value={name}
        onInput={(event) => onChange([event.currentTarget.value, value])}
        onBlur={onLeave}
      />
      <input
        aria-label={`${label}, value`}
        aria-invalid={isWrong}
        placeholder="value"
        title={isMasked ? "Masked: leave it as it is, or write the whole value" : undefined}
        spellcheck={false}
        autocomplete="off"
        value={value}
        onFocus={(event) => isMasked && event.currentTarget.select()}
        onInput={(event) => onChange([name, event.currentTarget.value])}
        onBlur={onLeave}
      />
      {onRemove ? (
        <button
          type="button"
          class="ab-button ab-button-quiet"
          aria-label={`Remove ${name || label}`}
          onClick={onRemove}
        >
          ×
        </button>
      ) : (
        <span />
      )}
    </>
  );
}

function entriesOf(flat: string[]): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at < flat.length; at += 2) entries.push([flat[at] ?? "", flat[at + 1] ?? ""]);
  return entries;
}

const named = (entries: Entry[]) => entries.filter(([name, value]) => name.trim() || value.trim());
