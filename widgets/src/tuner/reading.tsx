// The form to be read: in a page that has no kernel nothing can be changed.

import { useState } from "preact/hooks";
import { useTrait } from "../shared/state";
import { Select } from "../shared/ui";
import { Filter } from "./filter";
import { chosen, grouped, place, type Row } from "./types";

export function ReadingTable() {
  const first = useTrait<string>("endpoint");
  const [endpoint, setEndpoint] = useState(first);
  const shown = useTrait<Row[]>("fields");
  const forms = useTrait<Record<string, Row[]> | undefined>("forms");
  const [filter, setFilter] = useState("");
  const [onlyChanged, setOnlyChanged] = useState(false);
  const endpoints = forms ? Object.keys(forms) : [endpoint];
  const rows = chosen(forms?.[endpoint] ?? shown, filter, onlyChanged);
  return (
    <>
      <div class="ab-bar">
        <Select
          label="Endpoint"
          value={endpoint}
          options={endpoints.map((each) => ({ value: each, label: each }))}
          onChange={setEndpoint}
        />
        <Filter text={filter} onText={setFilter} onlyChanged={onlyChanged} onOnlyChanged={setOnlyChanged} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section class="ab-reading" aria-label={`Settings of ${endpoint}`} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">setting</th>
              <th scope="col">value</th>
              <th scope="col">from</th>
            </tr>
          </thead>
          {grouped(rows).map(([group, each]) => (
            <Group key={group} name={group} rows={each} />
          ))}
        </table>
        {rows.length === 0 && <p class="ab-muted">No setting is like that.</p>}
      </section>
    </>
  );
}

function Group({ name, rows }: { name: string; rows: Row[] }) {
  return (
    <tbody>
      <tr>
        <th scope="rowgroup" colSpan={3} class="ab-group">
          {name}
        </th>
      </tr>
      {rows.map((row) => (
        <tr key={row.field.key}>
          <th scope="row" class="ab-mono">
            {row.field.key}
          </th>
          <td class="ab-mono">{row.now.text || "none"}</td>
          <td class="ab-muted">{place(row.now)}</td>
        </tr>
      ))}
    </tbody>
  );
}
