// Calls by model, agent and so on, a bar each; a bar that is pressed filters.

import { useMemo, useState } from "preact/hooks";
import { count, dollars, seconds, short } from "../shared/format";
import { Button, Tabs } from "../shared/ui";
import type { Calls, Group, Word } from "./calls";
import { type Choice, choose, label } from "./choice";
import { Heads } from "./heads";
import { breakdown, type Line } from "./sums";
import type { Measure } from "./timeline";

const TABS = (["model", "agent", "endpoint", "cell", "day", "context"] as const).map((value) => ({
  value,
  label: value === "day" ? "Day" : value[0]?.toUpperCase() + value.slice(1),
}));
const FEW_ROWS = 8;
const MORE_ROWS = 50;

interface Props {
  calls: Calls;
  choice: Choice;
  measure: Measure;
  onToggle: (group: Group, word: Word) => void;
}

const weigh: Record<Measure, (line: Line) => number> = {
  tokens: (line) => line.input + line.output,
  cost: (line) => line.cost ?? 0,
  calls: (line) => line.calls,
};

export function Breakdown({ calls, choice, measure, onToggle }: Props) {
  const [group, setGroup] = useState<Group>("model");
  const [most, setMost] = useState(FEW_ROWS);
  const show = (next: Group) => {
    setGroup(next);
    setMost(FEW_ROWS);
  };
  const lines = useMemo(
    () => ordered(breakdown(calls, choose(calls, choice, group), group), group, measure),
    [calls, choice, group, measure],
  );
  const highest = Math.max(...lines.map(weigh[measure]), 0);
  return (
    <section class="ab-panel">
      <Tabs label="Put calls together by" value={group} tabs={TABS} onChange={show} />
      <div role="tabpanel" aria-label={`Calls by ${group}`} class="ab-scroll">
        <table class="ab-lines">
          <Heads texts={[group]} numbers={["calls", "tokens", "cost"]} wide={["errors", "median"]} />
          <tbody>
            {lines.slice(0, most).map((line) => (
              <Row
                key={String(line.word)}
                line={line}
                name={label(group, line.word)}
                share={highest ? weigh[measure](line) / highest : 0}
                filters={choice.filters[group]}
                onToggle={() => onToggle(group, line.word)}
              />
            ))}
          </tbody>
        </table>
        {lines.length > most && (
          <Button kind="quiet" onClick={() => setMost(most + MORE_ROWS)}>
            {`Show ${count(Math.min(MORE_ROWS, lines.length - most))} more of ${count(lines.length)}`}
          </Button>
        )}
        {most > FEW_ROWS && (
          <Button kind="quiet" onClick={() => setMost(FEW_ROWS)}>
            Show fewer
          </Button>
        )}
      </div>
    </section>
  );
}

function ordered(lines: Line[], group: Group, measure: Measure): Line[] {
  if (group === "day") return lines.sort((one, other) => String(other.word).localeCompare(String(one.word)));
  return lines.sort((one, other) => weigh[measure](other) - weigh[measure](one));
}

interface RowProps {
  line: Line;
  name: string;
  share: number;
  filters: readonly Word[] | undefined;
  onToggle: () => void;
}

function Row({ line, name, share, filters, onToggle }: RowProps) {
  const pressed = filters?.includes(line.word) ?? false;
  return (
    <tr class={filters?.length && !pressed ? "ab-out" : undefined}>
      <th scope="row">
        <button type="button" class="ab-line" aria-pressed={pressed} title={name} onClick={onToggle}>
          <span class="ab-line-name">
            {pressed && "✓ "}
            {name}
          </span>
          <span class="ab-line-bar" style={{ width: `${Math.max(share * 100, share ? 0.5 : 0)}%` }} />
        </button>
      </th>
      <td class="ab-num">{count(line.calls)}</td>
      <td class="ab-num">{short(line.input + line.output)}</td>
      <td class="ab-num">
        {dollars(line.cost)}
        {line.cost !== null && line.unknown > 0 && (
          <span class="ab-muted" title={`${count(line.unknown)} calls of unknown cost`}>
            {" "}
            +?
          </span>
        )}
      </td>
      <td class="ab-num ab-wide">{count(line.errors)}</td>
      <td class="ab-num ab-wide">{seconds(line.duration)}</td>
    </tr>
  );
}
