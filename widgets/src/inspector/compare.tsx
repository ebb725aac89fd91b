// Two runs in numbers.

import { useMemo } from "preact/hooks";
import { count, seconds } from "../shared/format";
import { lengthOf } from "./player";
import type { Run } from "./run";

const MOST_PERCENT = 1000;

interface Row {
  name: string;
  values: [number | null, number | null];
  shown: (value: number | null) => string;
}

export function rowsOf(run: Run, other: Run): Row[] {
  const both = (of: (each: Run) => number | null): [number | null, number | null] => [of(run), of(other)];
  const measured = (index: (each: Run) => number | null) =>
    both((each) => {
      const place = index(each);
      return each.measured && place !== null ? (each.scale[place] ?? null) : null;
    });
  return [
    { name: "time to first token", values: measured((each) => each.firstToken), shown: seconds },
    { name: "duration", values: measured((each) => each.events.length - 1), shown: seconds },
    { name: "input tokens", values: both((each) => each.tokens?.input ?? null), shown: count },
    { name: "output tokens", values: both((each) => each.tokens?.output ?? null), shown: count },
    { name: "output items", values: both((each) => each.lanes.length), shown: count },
    { name: "calls", values: both((each) => each.lanes.filter(({ kind }) => kind === "call").length), shown: count },
    { name: "events", values: both((each) => each.total), shown: count },
    { name: "characters of text", values: both((each) => lengthOf(each, "message")), shown: count },
    { name: "characters of reasoning", values: both((each) => lengthOf(each, "reasoning")), shown: count },
    { name: "violations", values: both((each) => (each.rebuilt ? null : each.violation_count)), shown: count },
  ];
}

export function Compare({ run, other }: { run: Run; other: Run }) {
  const rows = useMemo(() => rowsOf(run, other), [run, other]);
  return (
    <div class="abi-compare">
      <table>
        <caption class="ab-hidden">How the two runs differ</caption>
        <thead>
          <tr>
            <td />
            <th scope="col">run</th>
            <th scope="col">beside</th>
            <th scope="col">difference</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, values: [one, two], shown }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="ab-num">{shown(one)}</td>
              <td class="ab-num">{shown(two)}</td>
              <td class="ab-num">{difference(one, two, shown)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function difference(one: number | null, two: number | null, shown: (value: number) => string): string {
  if (one === null || two === null) return "–";
  if (one === two) return "same";
  const sign = two > one ? "+" : "−";
  const percent = one > 0 ? Math.round((100 * Math.abs(two - one)) / one) : 0;
  const share = percent > 0 && percent < MOST_PERCENT ? ` (${sign}${percent}%)` : "";
  return `${sign}${shown(Math.abs(two - one))}${share}`;
}
