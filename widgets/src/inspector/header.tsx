// What the run is: who answered, how it ended, what it took; and which other runs there are.

import { useState } from "preact/hooks";
import { clock, count, seconds } from "../shared/format";
import { useKernel, useStatus, useTrait } from "../shared/state";
import { Button, Notice, Select } from "../shared/ui";
import type { Run } from "./run";
import type { Listed, Side } from "./types";

interface Props {
  run: Run;
  other: Run | null;
}

export function Header({ run, other }: Props) {
  const runs = useTrait<Listed[]>("runs");
  const kernel = useKernel();
  const hasKernel = useStatus() === "live" && (runs.length > 0 || run.goes_on);
  const [error, setError] = useState("");
  const ask = (op: string, args: Record<string, unknown>) => {
    setError("");
    kernel.request(op, args).catch((failed: Error) => setError(failed.message));
  };
  const choose = (side: Side) => (value: string) => ask("choose", { response: value || null, side });
  return (
    <>
      {hasKernel && (
        <div class="ab-bar abi-choose">
          <Select label="Run" value={run.id ?? ""} options={choices(runs, run)} onChange={choose("run")} />
          <Select
            label="Beside"
            value={other ? (other.id ?? "?") : ""}
            options={[{ value: "", label: "none" }, ...choices(runs, other)]}
            onChange={choose("other")}
          />
          <Button onClick={() => ask("refresh", {})}>Refresh</Button>
        </div>
      )}
      {error && <Notice kind="error">{error}</Notice>}
      <Summary run={run} {...(other ? { title: "Run" } : {})} />
      {other && <Summary run={other} title="Beside" />}
    </>
  );
}

/** The runs that can be chosen; the one that is shown among them, though it may come from elsewhere. */
function choices(runs: readonly Listed[], shown: Run | null) {
  const options = runs.map(({ id, source, at, words, status }) => ({
    value: id,
    label: `${clock(at)} · ${source} · ${words || "no words"}${status === "completed" ? "" : ` · ${status}`}`,
  }));
  if (!shown || runs.some(({ id }) => id === shown.id)) return options;
  return [{ value: shown.id ?? "?", label: shown.source }, ...options];
}

function Summary({ run, title }: { run: Run; title?: string }) {
  const isBad = !["completed", "running"].includes(run.status);
  return (
    <>
      <p class="abi-summary">
        {title && <strong>{title}</strong>}
        <Fact name="from" value={run.source} />
        <Fact name="status" value={run.status} {...(isBad ? { kind: "bad" } : {})} />
        {run.measured && run.firstToken !== null && (
          <Fact name="first token" value={seconds(run.scale[run.firstToken])} />
        )}
        {run.measured && <Fact name="total" value={seconds(run.scale.at(-1))} />}
        {run.tokens && <Fact name="tokens" value={`${count(run.tokens.input)} in, ${count(run.tokens.output)} out`} />}
        <Fact name="events" value={count(run.total)} />
        <Fact name="at" value={run.started_at ? clock(run.started_at) : "–"} />
      </p>
      {run.notes.map((note) => (
        <Notice key={note} kind="info">
          {note}
        </Notice>
      ))}
      {run.goes_on && <Notice kind="info">This run goes on. Refresh shows what came since.</Notice>}
    </>
  );
}

function Fact({ name, value, kind = "plain" }: { name: string; value: string; kind?: string }) {
  return (
    <span>
      <span class="ab-muted">{name}</span> <span class={`abi-fact-${kind}`}>{value}</span>
    </span>
  );
}
