// The timeline: bars over time with a brush for mouse, touch and keyboard.

import { useMemo, useRef, useState } from "preact/hooks";
import { count, dollars, short } from "../shared/format";
import { Brush } from "./brushing";
import type { Range } from "./choice";
import { at, tick, zone } from "./clock";
import { Heads } from "./heads";
import { Swatch, Textured, Textures, useTextures } from "./series";
import { beginning, type Measure, stepsOf, type Timeline, ticks } from "./timeline";
import { useWidth } from "./width";

const HEIGHT = 132;
const TICK_PX = 60;

interface Props {
  line: Timeline;
  measure: Measure;
  offset: number;
  range: Range | null;
  /** `settled` when the hand has left the brush. */
  onRange: (range: Range | null, settled: boolean) => void;
}

export const amount = (measure: Measure, value: number | null): string =>
  measure === "cost" ? dollars(value) : measure === "tokens" ? short(value) : count(value);

export function OverTime({ line, measure, offset, range, onRange }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const textures = useTextures();
  const [hovered, setHovered] = useState<number | null>(null);
  const totals = useMemo(() => sumOf(line), [line]);
  const highest = Math.max(...totals, 0);
  const steps = stepsOf(line, range);
  const text = (place: number) => at(beginning(line, place), offset, line.step);
  return (
    <figure class="ab-chart">
      <Legend line={line} textures={textures} />
      <p class="ab-readout" aria-hidden="true">
        {hovered === null
          ? `${text(steps[0])} – ${text(steps[1])} ${zone(offset)}`
          : readout(line, measure, hovered, text(hovered))}
      </p>
      <div class="ab-plot" ref={box} style={{ height: `${HEIGHT}px` }}>
        <Bars line={line} width={width} highest={highest} textures={textures} />
        <span class="ab-axis-top">{amount(measure, highest)}</span>
        <Brush
          steps={range ? steps : null}
          total={line.steps}
          text={text}
          onHover={setHovered}
          onSteps={(found, settled) =>
            onRange(found && [beginning(line, found[0]), beginning(line, found[1])], settled)
          }
        />
      </div>
      <Axis line={line} offset={offset} width={width} />
      <TimeTable line={line} measure={measure} text={text} totals={totals} />
    </figure>
  );
}

function sumOf(line: Timeline): Float64Array {
  const totals = new Float64Array(line.steps);
  for (const { values } of line.series) {
    for (let index = 0; index < line.steps; index++) {
      totals[index] = (totals[index] as number) + (values[index] as number);
    }
  }
  return totals;
}

function readout(line: Timeline, measure: Measure, index: number, text: string): string {
  const parts = line.series.flatMap(({ name, values }) =>
    values[index] ? [`${name} ${amount(measure, values[index] as number)}`] : [],
  );
  return `${text}: ${parts.join(", ") || "nothing"}`;
}

function Legend({ line, textures }: { line: Timeline; textures: string }) {
  if (line.series.length === 1) return null;
  return (
    <figcaption class="ab-legend">
      {line.series.map(({ name }, index) => (
        <span key={name}>
          <Swatch index={index} id={textures} /> {name}
        </span>
      ))}
    </figcaption>
  );
}

interface BarsProps {
  line: Timeline;
  width: number;
  highest: number;
  textures: string;
}

function Bars({ line, width, highest, textures }: BarsProps) {
  const shapes = useMemo(() => shapesOf(line, width, highest), [line, width, highest]);
  return (
    <svg class="ab-bars" width={width} height={HEIGHT} aria-hidden="true">
      <Textures id={textures} />
      {shapes.map((d, index) => (
        <Textured key={line.series[index]?.name} d={d} index={index} id={textures} />
      ))}
    </svg>
  );
}

/** A path for each series, each bar upon the one of the series before. */
function shapesOf(line: Timeline, width: number, highest: number): string[] {
  const base = new Float64Array(line.steps);
  const each = width / line.steps;
  const gap = each > 4 ? 1 : 0;
  return line.series.map(({ values }) => {
    let d = "";
    for (let index = 0; index < line.steps; index++) {
      const height = highest ? ((values[index] as number) / highest) * (HEIGHT - 14) : 0;
      if (!height) continue;
      const low = HEIGHT - (base[index] as number);
      base[index] = (base[index] as number) + height;
      d += `M${(index * each).toFixed(1)} ${low.toFixed(1)}h${(each - gap).toFixed(1)}v${(-height).toFixed(1)}h${(gap - each).toFixed(1)}z`;
    }
    return d;
  });
}

function Axis({ line, offset, width }: { line: Timeline; offset: number; width: number }) {
  return (
    <div class="ab-axis" aria-hidden="true">
      {ticks(line, offset, Math.max(1, Math.floor(width / TICK_PX)))
        .filter(({ place }) => width * (1 - place) > TICK_PX / 2)
        .map(({ time, place, interval }) => (
          <span key={time} style={{ left: `${place * 100}%` }}>
            {tick(time, offset, interval)}
          </span>
        ))}
    </div>
  );
}

interface TableProps {
  line: Timeline;
  measure: Measure;
  text: (place: number) => string;
  totals: Float64Array;
}

function TimeTable({ line, measure, text, totals }: TableProps) {
  const [open, setOpen] = useState(false);
  return (
    <details class="ab-as-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{`The ${measure} over time as a table`}</summary>
      {open && (
        <table>
          <Heads texts={["from"]} numbers={line.series.map(({ name }) => name)} />
          <tbody>
            {Array.from(totals, (total, index) =>
              total ? (
                <tr key={text(index)}>
                  <th scope="row">{text(index)}</th>
                  {line.series.map(({ name, values }) => (
                    <td key={name} class="ab-num">
                      {amount(measure, values[index] as number)}
                    </td>
                  ))}
                </tr>
              ) : null,
            )}
          </tbody>
        </table>
      )}
    </details>
  );
}
