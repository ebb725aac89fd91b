// A control for each kind of setting.

import { useTyping } from "../shared/typing";
import { Mapping } from "./mapping";
import { MASK, type Row, type Value } from "./types";

export interface ControlProps {
  row: Row;
  id: string;
  describedBy: string;
  put: (value: Value) => Promise<void>;
}

export function Control(props: ControlProps) {
  const { field, value } = props.row;
  if (field.fixed) return <span class="ab-fixed ab-mono">{String(value ?? "")}</span>;
  switch (field.kind) {
    case "boolean":
      return <Checkbox {...props} />;
    case "choice":
      return <Choice {...props} />;
    case "list":
      return <Lines {...props} />;
    case "mapping":
      return <Mapping {...props} />;
    case "long_text":
    case "structured":
      return <LongText {...props} />;
    default:
      return <Text {...props} />;
  }
}

const described = ({ row, id, describedBy }: ControlProps) => ({
  id,
  "aria-describedby": describedBy,
  "aria-invalid": row.error !== "",
});

const asText = (value: Value) => (value === null || typeof value === "object" ? "" : String(value));

function Text(props: ControlProps) {
  const { row, put } = props;
  const isMasked = String(row.value ?? "").includes(MASK);
  const { value, change, leave } = useTyping(row, isMasked ? "" : asText(row.value), put);
  const isHidden = row.field.secret && value !== "" && !value.startsWith("$");
  const isNumber = row.field.kind === "number" || row.field.kind === "integer";
  return (
    <input
      {...described(props)}
      class={isNumber ? "ab-number" : ""}
      type={(isHidden ? "password" : "text") as "text"} // the types take no choice
      inputMode={isNumber ? "decimal" : "text"}
      autocomplete={row.field.secret ? "new-password" : "off"}
      spellcheck={false}
      placeholder={isMasked ? String(row.value) : row.field.example && `such as ${row.field.example}`}
      value={value}
      onInput={(event) => change(event.currentTarget.value)}
      onBlur={leave}
    />
  );
}

const MOST_LINES = 12;

function LongText(props: ControlProps) {
  const { row, put } = props;
  const { value, change, leave } = useTyping(row, asText(row.value), put);
  const lines = Math.min(MOST_LINES, Math.max(2, value.split("\n").length));
  return (
    <textarea
      {...described(props)}
      class={row.field.kind === "structured" ? "ab-mono" : ""}
      rows={lines}
      spellcheck={row.field.kind === "long_text"}
      placeholder={row.field.example && `such as ${row.field.example}`}
      value={value}
      onInput={(event) => change(event.currentTarget.value)}
      onBlur={leave}
    />
  );
}

function Lines(props: ControlProps) {
  const { row, put } = props;
  const shown = Array.isArray(row.value) ? row.value.join("\n") : "";
  const { value, change, leave } = useTyping(row, shown, (text) => put(text.split("\n").map((line) => line.trim())));
  return (
    <textarea
      {...described(props)}
      class="ab-mono"
      rows={Math.min(MOST_LINES, Math.max(2, value.split("\n").length))}
      spellcheck={false}
      placeholder="one a line"
      value={value}
      onInput={(event) => change(event.currentTarget.value)}
      onBlur={leave}
    />
  );
}

function Checkbox(props: ControlProps) {
  const { row, put } = props;
  const { value, change, leave } = useTyping(row, row.value === true, put);
  return (
    <span class="ab-check">
      <input
        {...described(props)}
        type="checkbox"
        checked={value}
        onChange={(event) => change(event.currentTarget.checked, true)}
        onBlur={leave}
      />
      <span aria-hidden="true">{value ? "true" : "false"}</span>
    </span>
  );
}

function Choice(props: ControlProps) {
  const { row, put } = props;
  const { value, change, leave } = useTyping(row, asText(row.value), put);
  const choices = row.field.choices.includes(value) ? row.field.choices : [value, ...row.field.choices];
  return (
    <select
      {...described(props)}
      value={value}
      onChange={(event) => change(event.currentTarget.value, true)}
      onBlur={leave}
    >
      {choices.map((each) => (
        <option key={each} value={each}>
          {each}
        </option>
      ))}
    </select>
  );
}
