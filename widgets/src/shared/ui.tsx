// The few controls that all widgets share.

import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { moved } from "./keyboard";

interface ButtonProps {
  children: ComponentChildren;
  onClick: () => void;
  label?: string | undefined;
  kind?: "plain" | "primary" | "danger" | "quiet";
  disabled?: boolean;
  pressed?: boolean | undefined;
}

/** A button; `label` is its name where its content isn't words. */
export function Button({ children, onClick, label, kind = "plain", disabled = false, pressed }: ButtonProps) {
  return (
    <button
      type="button"
      class={`ab-button ab-button-${kind}`}
      aria-label={label}
      title={label}
      disabled={disabled}
      aria-pressed={pressed}
      onClick={onClick}
    >
      {children}
    </button>
  );
}

/** A notice; errors are read out at once. */
export function Notice({ kind, children }: { kind: "error" | "warning" | "info"; children: ComponentChildren }) {
  return (
    <div class={`ab-notice ab-notice-${kind}`} role={kind === "error" ? "alert" : "status"}>
      {children}
    </div>
  );
}

interface SelectProps {
  label: string;
  value: string;
  options: readonly { value: string; label: string }[];
  onChange: (value: string) => void;
  disabled?: boolean;
}

export function Select({ label, value, options, onChange, disabled = false }: SelectProps) {
  return (
    <label class="ab-select">
      <span class="ab-label">{label}</span>
      <select value={value} disabled={disabled} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map((each) => (
          <option key={each.value} value={each.value}>
            {each.label}
          </option>
        ))}
      </select>
    </label>
  );
}

interface TabsProps<T extends string> {
  label: string;
  value: T;
  tabs: readonly { value: T; label: string }[];
  onChange: (value: T) => void;
}

/** A row of tabs; arrow keys move along it. The panel below is the caller's, with `role="tabpanel"`. */
export function Tabs<T extends string>({ label, value, tabs, onChange }: TabsProps<T>) {
  const row = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const key = { ArrowRight: "ArrowDown", ArrowLeft: "ArrowUp" }[event.key] ?? event.key;
    const index = tabs.findIndex((tab) => tab.value === value);
    const target = moved(key, index, tabs.length);
    const tab = target === null ? undefined : tabs[target];
    if (!tab) return;
    event.preventDefault();
    onChange(tab.value);
    (row.current?.children[target ?? 0] as HTMLElement | undefined)?.focus();
  };
  return (
    <div class="ab-tabs" role="tablist" aria-label={label} ref={row} onKeyDown={onKeyDown}>
      {tabs.map((tab) => (
        <button
          key={tab.value}
          type="button"
          role="tab"
          aria-selected={tab.value === value}
          tabIndex={tab.value === value ? 0 : -1}
          onClick={() => onChange(tab.value)}
        >
          {tab.label}
        </button>
      ))}
    </div>
  );
}

/** Text with what stands between backticks as code. */
export function Ticked({ text }: { text: string }) {
  return <>{text.split("`").map((part, at) => (at % 2 ? <code key={at}>{part}</code> : part))}</>;
}

/** Text for screen readers alone. */
export function Hidden({ children }: { children: ComponentChildren }) {
  return <span class="ab-hidden">{children}</span>;
}

/** Something that is being waited for. */
export function Spinner({ label }: { label: string }) {
  return (
    <span class="ab-spinner" role="status">
      <Hidden>{label}</Hidden>
    </span>
  );
}
