// The smaller panels: what tokens were, how long calls took, what went wrong.

import { useMemo, useState } from "preact/hooks";
import { count, seconds } from "../shared/format";
import { Tabs } from "../shared/ui";
import type { Calls, Group, NumberName, Word } from "./calls";
import { type Choice, choose } from "./choice";
import { at } from "./clock";
import { Heads } from "./heads";
import { Swatch, Textured, Textures, useTextures } from "./series";
import { type Bin, failures, histogram, type Mix, mix, quantile, sorted } from "./sums";

interface Props {
  calls: Calls;
  chosen: Int32Array;
}

const KINDS: readonly { key: keyof Mix; name: string }[] = [
  { key: "fresh", name: "fresh input" },
  { key: "cached", name: "cached input" },
  { key: "written", name: "cache write" },
  { key: "output", name: "output" },
  { key: "reasoning", name: "reasoning" },
];

export function TokenMix({ calls, chosen }: Props) {
  const textures = useTextures();
  const found = useMemo(() => mix(calls, chosen), [calls, chosen]);
  const all = KINDS.reduce((sum, { key }) => sum + found[key], 0);
  let left = 0;
  return (
    <section class="ab-panel">
      <h3>Token mix</h3>
      <svg class="ab-mix" viewBox="0 0 400 14" preserveAspectRatio="none" aria-hidden="true">
        <Textures id={textures} />
        {KINDS.map(({ key }, index) => {
          const size = all ? (found[key] / all) * 400 : 0;
          const shape = <Textured key={key} d={`M${left} 0h${size}v14h${-size}z`} index={index} id={textures} />;
          left += size;
          return shape;
        })}
      </svg>
      <table class="ab-figures-table">
        <tbody>
          {KINDS.map(({ key, name }, index) => (
            <tr key={key}>
              <th scope="row">
                <Swatch index={index} id={textures} /> {name}
              </th>
              <td class="ab-num">{count(found[key])}</td>
              <td class="ab-num">{all ? `${((found[key] / all) * 100).toFixed(1)}%` : "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const WAITS = [
  { value: "duration", label: "Whole answer" },
  { value: "time_to_first_token", label: "First token" },
] as const satisfies readonly { value: NumberName; label: string }[];
const BINS = 32;
const PLOT = { width: 400, height: 80 };

export function Latency({ calls, chosen }: Props) {
  const [name, setName] = useState<(typeof WAITS)[number]["value"]>("duration");
  const values = useMemo(() => sorted(calls, chosen, name), [calls, chosen, name]);
  const bins = useMemo(() => histogram(values, BINS), [values]);
  const [middle, late] = [quantile(values, 0.5), quantile(values, 0.95)];
  return (
    <section class="ab-panel">
      <h3>Time taken</h3>
      <Tabs label="Time of" value={name} tabs={WAITS} onChange={setName} />
      <div role="tabpanel" aria-label={WAITS.find(({ value }) => value === name)?.label ?? ""}>
        {values.length === 0 ? (
          <p class="ab-muted">No times are known.</p>
        ) : (
          <>
            <p class="ab-readout">
              median <strong>{seconds(middle)}</strong>, 95% within <strong>{seconds(late)}</strong>
            </p>
            <Histogram bins={bins} marks={[middle as number, late as number]} />
            <BinTable bins={bins} />
          </>
        )}
      </div>
    </section>
  );
}

function Histogram({ bins, marks }: { bins: Bin[]; marks: [number, number] }) {
  const highest = Math.max(...bins.map((bin) => bin.calls));
  const each = PLOT.width / bins.length;
  const [low, high] = [(bins[0] as Bin).from, (bins.at(-1) as Bin).to];
  const place = (value: number) => (Math.log(Math.max(value, low) / low) / Math.log(high / low)) * PLOT.width;
  const shapes = bins.map((bin, index) => {
    const height = (bin.calls / highest) * PLOT.height;
    return height ? `M${index * each} ${PLOT.height}h${each - 1}v${-height}h${1 - each}z` : "";
  });
  return (
    <>
      <svg
        class="ab-histogram"
        viewBox={`0 0 ${PLOT.width} ${PLOT.height}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        <path d={shapes.join("")} class="ab-series-0" />
        {marks.map((mark, index) => (
          <path
            key={index === 0 ? "median" : "p95"}
            d={`M${place(mark)} 0V${PLOT.height}`}
            class={index === 0 ? "ab-mark" : "ab-mark ab-mark-late"}
          />
        ))}
      </svg>
      <div class="ab-ends" aria-hidden="true">
        <span>{seconds(low)}</span>
        <span class="ab-muted">solid: median, dashed: 95%</span>
        <span>{seconds(high)}</span>
      </div>
    </>
  );
}

function BinTable({ bins }: { bins: Bin[] }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="ab-as-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>The times as a table</summary>
      {open && (
        <table>
          <Heads texts={["from", "to"]} numbers={["calls"]} />
          <tbody>
            {bins.flatMap((bin) =>
              bin.calls
                ? [
                    <tr key={bin.from}>
                      <td>{seconds(bin.from)}</td>
                      <td>{seconds(bin.to)}</td>
                      <td class="ab-num">{count(bin.calls)}</td>
                    </tr>,
                  ]
                : [],
            )}
          </tbody>
        </table>
      )}
    </details>
  );
}

interface ErrorsProps {
  calls: Calls;
  choice: Choice;
  onToggle: (group: Group, word: Word) => void;
}

export function Errors({ calls, choice, onToggle }: ErrorsProps) {
  const found = useMemo(() => failures(calls, choose(calls, choice, "error")), [calls, choice]);
  const chosen = choice.filters.error ?? [];
  return (
    <section class="ab-panel">
      <h3>Errors</h3>
      {found.length === 0 ? (
        <p class="ab-muted">No call failed.</p>
      ) : (
        <table class="ab-figures-table">
          <Heads texts={["type"]} numbers={["calls", "last"]} />
          <tbody>
            {found.map(({ word, calls: number, last }) => (
              <tr key={word}>
                <th scope="row">
                  <button
                    type="button"
                    class="ab-link"
                    aria-pressed={chosen.includes(word)}
                    onClick={() => onToggle("error", word)}
                  >
                    {chosen.includes(word) && "✓ "}
                    {word}
                  </button>
                </th>
                <td class="ab-num">{count(number)}</td>
                <td class="ab-num">{at(last, calls.offset)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
