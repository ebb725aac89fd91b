// One setting: its control, what holds, who said so, and what is wrong with what is typed.

import { Button, Ticked } from "../shared/ui";
import type { Actions } from "./actions";
import { Control } from "./controls";
import { limits, place, type Row, type Said } from "./types";

interface RowProps {
  row: Row;
  endpoint: string;
  id: string;
  actions: Actions;
}

export function SettingRow({ row, endpoint, id, actions }: RowProps) {
  const { field } = row;
  const back = (op: string) => {
    void actions.run(op, { endpoint, key: field.key });
    document.getElementById(id)?.focus(); // the button goes away
  };
  return (
    <div class={`ab-setting${row.pending ? " ab-pending" : ""}`}>
      <div class="ab-about">
        <Name row={row} id={id} />
        <p id={`${id}-what`} class="ab-what">
          <What row={row} />
        </p>
      </div>
      <div class="ab-control">
        <Control
          row={row}
          id={id}
          describedBy={`${id}-what ${id}-error`}
          put={(value) => actions.put(endpoint, field.key, value)}
        />
        <p id={`${id}-error`} class="ab-error" aria-live="polite">
          {row.error}
        </p>
      </div>
      <div class="ab-from">
        <span>{place(row.now)}</span>
        {row.pending && (
          <Button kind="quiet" label={`Reset ${field.key}`} onClick={() => back("reset")}>
            Reset
          </Button>
        )}
        {!row.pending && row.here !== "" && !field.fixed && (
          <Button kind="quiet" label={unsetLabel(row)} onClick={() => back("unset")}>
            Unset
          </Button>
        )}
        <From row={row} />
      </div>
    </div>
  );
}

const unsetLabel = (row: Row) =>
  row.here === "session" ? `Unset ${row.field.key} in this session` : `Unset ${row.field.key} in the file`;

function Name({ row, id }: { row: Row; id: string }) {
  const mark = row.unset ? "will be unset" : row.pending ? "pending" : row.here === "session" ? "session" : "";
  return (
    <div class="ab-name">
      {row.field.fixed || row.field.kind === "mapping" ? (
        <span class="ab-mono">{row.field.key}</span>
      ) : (
        <label class="ab-mono" for={id}>
          {row.field.key}
        </label>
      )}
      {mark && <span class="ab-mark">{mark}</span>}
    </div>
  );
}

function What({ row }: { row: Row }) {
  const { field } = row;
  const more = [field.required ? "required" : `default: ${row.default || "none"}`, limits(field), field.fixed];
  return (
    <>
      <Ticked text={field.what} />
      {field.what && " · "}
      <span>{more.filter(Boolean).join(" · ")}</span>
    </>
  );
}

function From({ row }: { row: Row }) {
  const overrode = row.overrode.filter((each) => each.layer !== "default"); // the default is told already
  const below = row.parts.length > 0 ? row.parts : overrode;
  return (
    <>
      {row.pending && row.parts.length === 0 && <span class="ab-now">now: {row.now.text || "none"}</span>}
      {below.length > 0 && (
        <details>
          <summary>{row.parts.length > 0 ? `all ${below.length} that are sent` : `overrides ${below.length}`}</summary>
          <Places said={below} />
        </details>
      )}
    </>
  );
}

function Places({ said }: { said: readonly Said[] }) {
  return (
    <ul>
      {said.map((each) => (
        <li key={`${each.name} ${each.layer} ${each.origin}`}>
          <span class="ab-mono">
            {each.name && `${each.name}: `}
            {each.text || "none"}
          </span>{" "}
          <span class="ab-muted">{place(each)}</span>
        </li>
      ))}
    </ul>
  );
}
