// Keys and values: a line each, and an empty one for the next.

import { useControl } from "./context";
import { Field } from "./field";
import type { Pair } from "./types";

export function Metadata() {
  const { value: pairs, change, leave, error } = useControl("metadata");
  const lines: Pair[] = [...pairs, ["", ""]];
  const edit = (index: number, pair: Pair) => change([...pairs.slice(0, index), pair, ...pairs.slice(index + 1)]);
  const remove = (index: number) =>
    change(
      pairs.filter((_, at) => at !== index),
      true,
    );
  return (
    <Field control="metadata" label="Metadata" hint="Up to 16 keys and values, for your own use." group>
      {lines.map(([key, text], index) => (
        <div key={index} class="ab-pair">
          <input
            aria-label={`Metadata ${index + 1}, key`}
            aria-invalid={error !== "" && index < pairs.length}
            placeholder="key"
            autocomplete="off"
            value={key}
            onInput={(event) => edit(index, [event.currentTarget.value, text])}
            onBlur={leave}
          />
          <input
            aria-label={`Metadata ${index + 1}, value`}
            placeholder="value"
            autocomplete="off"
            value={text}
            onInput={(event) => edit(index, [key, event.currentTarget.value])}
            onBlur={leave}
          />
          {index < pairs.length ? (
            <button
              type="button"
              class="ab-button ab-button-quiet"
              aria-label={`Remove ${key || `metadata ${index + 1}`}`}
              onClick={() => remove(index)}
            >
              ×
            </button>
          ) : (
            <span />
          )}
        </div>
      ))}
    </Field>
  );
}
