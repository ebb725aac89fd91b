// The whole tuner: which endpoint, which settings, and beside them what they would do.

import { useEffect, useMemo, useState } from "preact/hooks";
import { useStatus, useTrait } from "../shared/state";
import { Select, Tabs } from "../shared/ui";
import { type Actions, useActions } from "./actions";
import { Filter } from "./filter";
import { Footer } from "./footer";
import { DiffPanel, type Preview, PreviewPanel } from "./previews";
import { ReadingTable } from "./reading";
import { SettingRow } from "./row";
import { chosen, grouped, type Row } from "./types";

type Tab = "settings" | Preview | "diff";

const TABS: readonly { value: Tab; label: string }[] = [
  { value: "settings", label: "Settings" },
  { value: "headers", label: "Headers" },
  { value: "title", label: "Title prompt" },
  { value: "truncation", label: "Tool results" },
  { value: "diff", label: "Diff" },
];

export function Tuner() {
  return useStatus() === "none" ? <ReadingTable /> : <Form />;
}

function Form() {
  const endpoint = useTrait<string>("endpoint");
  const endpoints = useTrait<string[]>("endpoints");
  const actions = useActions();
  const isLive = useStatus() === "live";
  const [tab, setTab] = useState<Tab>("settings");
  const id = useMemo(() => `ab-tuner-${Math.random().toString(36).slice(2)}`, []);
  const { run } = actions;
  useEffect(() => void run("refresh"), [run]); // others may have changed the config since
  return (
    <>
      <div class="ab-bar">
        <Select
          label="Endpoint"
          value={endpoint}
          options={endpoints.map((each) => ({ value: each, label: each }))}
          onChange={(each) => void run("choose", { endpoint: each })}
        />
        <Tabs label="What to show" value={tab} tabs={TABS} onChange={setTab} />
      </div>
      <fieldset class="ab-body" disabled={!isLive}>
        <div role="tabpanel" aria-label={TABS.find((each) => each.value === tab)?.label}>
          {tab === "settings" && <Settings endpoint={endpoint} id={id} actions={actions} />}
          {tab === "diff" && <DiffPanel />}
          {tab !== "settings" && tab !== "diff" && <PreviewPanel endpoint={endpoint} kind={tab} />}
        </div>
        <Footer actions={actions} onDiff={() => setTab("diff")} />
      </fieldset>
    </>
  );
}

function Settings({ endpoint, id, actions }: { endpoint: string; id: string; actions: Actions }) {
  const rows = useTrait<Row[]>("fields");
  const [filter, setFilter] = useState("");
  const [onlyChanged, setOnlyChanged] = useState(false);
  const shown = chosen(rows, filter, onlyChanged);
  return (
    <>
      <div class="ab-bar">
        <Filter text={filter} onText={setFilter} onlyChanged={onlyChanged} onOnlyChanged={setOnlyChanged} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section class="ab-settings" aria-label={`Settings of ${endpoint}`} tabIndex={0}>
        {grouped(shown).map(([group, each]) => (
          <section key={group} aria-label={group}>
            <h3 class="ab-group">{group}</h3>
            {each.map((row) => (
              <SettingRow
                key={`${endpoint} ${row.field.key}`}
                row={row}
                endpoint={endpoint}
                id={`${id}-${row.field.key}`}
                actions={actions}
              />
            ))}
          </section>
        ))}
        {shown.length === 0 && <p class="ab-muted">No setting is like that.</p>}
      </section>
    </>
  );
}
