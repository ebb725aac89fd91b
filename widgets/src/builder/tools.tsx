// The tools of an assistant: what the workbench has of its own, the functions that it knows, and any others.

import { useState } from "preact/hooks";
import { useTrait } from "../shared/state";
import { useControl, useEditing } from "./context";
import { Field, LongText, Tick } from "./field";
import { type Described, ticked } from "./types";

const KINDS = [
  ["file_search", "finds passages in the files below"],
  ["code_interpreter", "runs Python, on this machine"],
] as const;

export function Tools() {
  const { errors } = useEditing();
  return (
    <>
      <Field control="functions" label="Tools" group others={["file_search", "code_interpreter"]}>
        {KINDS.map(([kind, what]) => (
          <Kind key={kind} kind={kind} what={what} />
        ))}
        <Functions />
        <p class="ab-error" aria-live="polite">
          {errors.file_search || errors.code_interpreter}
        </p>
      </Field>
      <Others />
    </>
  );
}

/** One that may not be had can still be taken away. */
function Kind({ kind, what }: { kind: "file_search" | "code_interpreter"; what: string }) {
  const refusal = useTrait<Record<string, string>>("refusals")[kind];
  const { value, change } = useControl(kind);
  return (
    <Tick
      label={kind}
      hint={refusal ?? what}
      checked={value}
      disabled={Boolean(refusal) && !value}
      onChange={(isOn) => change(isOn, true)}
    />
  );
}

function Functions() {
  const known = useTrait<Described[]>("functions");
  const refusal = useTrait<Record<string, string>>("refusals").function;
  const { value, change } = useControl("functions");
  return (
    <>
      {known.map(({ name, description }) => (
        <Tick
          key={name}
          label={name}
          hint={refusal ?? description}
          checked={value.includes(name)}
          disabled={Boolean(refusal) && !value.includes(name)}
          onChange={(isOn) => change(ticked(value, name, isOn), true)}
        />
      ))}
    </>
  );
}

function Others() {
  const { form, errors } = useEditing();
  const [isOpen, setOpen] = useState(false);
  if (!isOpen && !form.others && !errors.others) {
    return (
      <p class="ab-more">
        <button type="button" class="ab-button ab-button-quiet" onClick={() => setOpen(true)}>
          Other functions …
        </button>
      </p>
    );
  }
  return (
    <Field control="others" label="Other functions" hint="A JSON list. Whoever asks the assistant answers their calls.">
      <LongText control="others" least={4} placeholder='[{"name": "look_up", "parameters": {"type": "object"}}]' />
    </Field>
  );
}
