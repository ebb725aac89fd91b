// A line of the form: the label and a hint, the control, and what is wrong with it.

import type { ComponentChildren } from "preact";
import { Ticked } from "../shared/ui";
import { useControl, useEditing, useTies } from "./context";
import type { Control } from "./types";

interface FieldProps {
  control: Control;
  label: string;
  hint?: ComponentChildren;
  /** A group of controls, each with a label of its own. */
  group?: boolean;
  /** What else stands in the group. */
  others?: readonly Control[];
  children: ComponentChildren;
}

export function Field({ control, label, hint, group = false, others = [], children }: FieldProps) {
  const { id, pending, errors } = useEditing();
  const key = `${id}-${control}`;
  const isPending = [control, ...others].some((each) => pending.includes(each));
  return (
    <div class={`ab-line${isPending ? " ab-pending" : ""}`}>
      <div class="ab-about">
        {group ? <span class="ab-name">{label}</span> : <FieldLabel of={key}>{label}</FieldLabel>}
        <p id={`${key}-hint`} class="ab-what">
          {hint}
        </p>
      </div>
      <div class="ab-control">
        {children}
        <p id={`${key}-error`} class="ab-error" aria-live="polite">
          {errors[control]}
        </p>
      </div>
    </div>
  );
}

function FieldLabel({ of, children }: { of: string; children: string }) {
  return (
    <label class="ab-name" for={of}>
      {children}
    </label>
  );
}

type TextControl = "name" | "description" | "model" | "temperature" | "top_p";

interface TextProps {
  control: TextControl;
  placeholder?: string;
  /** What may be chosen, beside what else can be typed. */
  suggestions?: readonly string[];
}

export function Text({ control, placeholder, suggestions }: TextProps) {
  const ties = useTies(control);
  const { value, change, leave } = useControl(control);
  const list = suggestions ? `${ties.id}-list` : undefined;
  const isNumber = control === "temperature" || control === "top_p";
  return (
    <>
      <input
        {...ties}
        class={isNumber ? "ab-number" : ""}
        type="text"
        inputMode={isNumber ? "decimal" : "text"}
        autocomplete="off"
        spellcheck={control === "description"}
        list={list}
        placeholder={placeholder}
        value={value}
        onInput={(event) => change(event.currentTarget.value)}
        onBlur={leave}
      />
      {suggestions && (
        <datalist id={list}>
          {suggestions.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      )}
    </>
  );
}

interface LongTextProps {
  control: "instructions" | "others";
  least: number;
  placeholder?: string;
}

const MOST_LINES = 16;

export function LongText({ control, least, placeholder }: LongTextProps) {
  const ties = useTies(control);
  const { value, change, leave } = useControl(control);
  return (
    <textarea
      {...ties}
      class={control === "others" ? "ab-mono" : ""}
      dir="auto"
      rows={Math.min(MOST_LINES, Math.max(least, value.split("\n").length))}
      spellcheck={control === "instructions"}
      placeholder={placeholder}
      value={value}
      onInput={(event) => change(event.currentTarget.value)}
      onBlur={leave}
    />
  );
}

interface TickProps {
  label: string;
  hint?: string | undefined;
  checked: boolean;
  disabled?: boolean;
  onChange: (isOn: boolean) => void;
}

export function Tick({ label, hint, checked, disabled = false, onChange }: TickProps) {
  return (
    <label class="ab-tick">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>
        <span class="ab-mono">{label}</span>{" "}
        {hint && (
          <span class="ab-what">
            <Ticked text={hint} />
          </span>
        )}
      </span>
    </label>
  );
}
