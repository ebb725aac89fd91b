// A run over time: a lane an output item, its deltas as density, what was silent shaded.

import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { seconds as told } from "../shared/format";
import { VirtualList } from "../shared/list";
import { memo } from "../shared/memo";
import { Hidden } from "../shared/ui";
import { densityPath, type Gap, gapPath, gaps, HEIGHT, nearest, ticks, tickText, WIDTH } from "./geometry";
import { isEnd, type Lane, type Run, STEP, typeOf } from "./run";

const ROW = 24;
const MOST_ROWS = 9;
const LABEL_SHARE = 0.035;
const LATE = 0.8;

interface Props {
  run: Run;
  /** What the whole width stands for, in seconds: two runs side by side share it. */
  end: number;
  at: number;
  chosen: number | null;
  label: string;
  onChoose: (index: number) => void;
}

export function Waterfall({ run, end, at, chosen, label, onChoose }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [hovered, setHovered] = useState<number | null>(null);
  const silent = useMemo(() => (run.measured ? gaps(run.scale) : []), [run]);
  const shaded = useMemo(() => gapPath(silent, end), [silent, end]);
  useLayoutEffect(() => setGutter(box.current), [run.lanes.length]);
  const lane = chosen === null ? null : (run.laneOf[chosen] ?? -1);
  const shown = hovered ?? chosen;
  const row = (place: number) => {
    const each = run.lanes[place];
    return each && <Row lane={each} run={run} end={end} shaded={shaded} onHover={setHovered} onChoose={onChoose} />;
  };
  return (
    <div class="abi-water" ref={box}>
      <div class="abi-plot">
        <Axis run={run} end={end} silent={silent} onHover={setHovered} onChoose={onChoose} />
        <VirtualList
          count={run.lanes.length}
          rowHeight={ROW}
          height={ROW * MOST_ROWS}
          chosen={lane !== null && lane >= 0 ? lane : null}
          label={`Output items of ${label}`}
          row={row}
          onChoose={(place) => onChoose(run.lanes[place]?.begin ?? 0)}
        />
        <div class="abi-overlay" aria-hidden="true">
          {run.firstToken !== null && <i class="abi-first" style={{ left: share(run.scale[run.firstToken], end) }} />}
          <i class="abi-now" style={{ left: share(at, end) }} />
        </div>
      </div>
      <div class="abi-foot">
        <p class="abi-tells ab-muted">{shown === null ? HOW : tells(run, shown)}</p>
        <AsTable run={run} silent={silent} label={label} />
      </div>
    </div>
  );
}

const HOW = "Point at a lane to see what came when; click it to choose the event.";
const share = (value: number | undefined, end: number) => `${(100 * Math.min(1, (value ?? 0) / end)).toFixed(3)}%`;

/** The scroll bar takes its width from the lanes alone: keep it free above and below them too. */
function setGutter(box: HTMLElement | null) {
  const list = box?.querySelector<HTMLElement>(".ab-list");
  if (list) box?.style.setProperty("--gutter", `${list.offsetWidth - list.clientWidth}px`);
}

// -- above the lanes ------------------------------------------------------------------------------------------------

interface AxisProps {
  run: Run;
  end: number;
  silent: readonly Gap[];
  onHover: (index: number | null) => void;
  onChoose: (index: number) => void;
}

const Axis = memo(function Axis({ run, end, silent, onHover, onChoose }: AxisProps) {
  const own = useMemo(() => run.events.flatMap((_, index) => (run.laneOf[index] === -1 ? [index] : [])), [run]);
  const pointed = (event: MouseEvent) => own[nearest(own, run.scale, timeAt(event, end))] ?? null;
  const onClick = (event: MouseEvent) => {
    const index = pointed(event);
    if (index !== null) onChoose(index);
  };
  return (
    <div class="abi-axis" aria-hidden="true">
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the list of events has the keys */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the list of events has the keys */}
      <div
        class="abi-ticks"
        onMouseMove={(event) => onHover(pointed(event))}
        onMouseLeave={() => onHover(null)}
        onClick={onClick}
      >
        {ticks(end).map((value) => (
          <span key={value} class={value / end > LATE ? "abi-late" : ""} style={{ left: share(value, end) }}>
            {run.measured ? tickText(value, end) : `#${Math.round(value / STEP)}`}
          </span>
        ))}
        <Markers run={run} end={end} own={own} />
      </div>
      <div class="abi-gaps">
        {silent
          .filter(({ from, to }) => (to - from) / end > LABEL_SHARE)
          .map(({ from, to }) => (
            <span key={from} style={{ left: share(from, end), width: share(to - from, end) }}>
              {told(to - from)}
            </span>
          ))}
      </div>
    </div>
  );
});

/** The events of the whole response: where it begins, ends, breaks. */
function Markers({ run, end, own }: { run: Run; end: number; own: readonly number[] }) {
  const path = (wanted: (index: number) => boolean) =>
    own
      .filter(wanted)
      .map((index) => `M${(((run.scale[index] ?? 0) / end) * WIDTH).toFixed(1)} 0v6`)
      .join("");
  const isBad = (index: number) => /^(error|response\.failed)$/.test(typeOf(run.events[index]));
  const isLast = (index: number) => isEnd(run.events[index] ?? {});
  return (
    <svg class="abi-marks" viewBox={`0 0 ${WIDTH} 6`} preserveAspectRatio="none" aria-hidden="true">
      <path d={path((index) => !isBad(index) && !isLast(index))} />
      <path class="abi-mark-last" d={path((index) => isLast(index) && !isBad(index))} />
      <path class="abi-mark-bad" d={path(isBad)} />
    </svg>
  );
}

// -- lanes ----------------------------------------------------------------------------------------------------------

interface RowProps {
  lane: Lane;
  run: Run;
  end: number;
  shaded: string;
  onHover: (index: number | null) => void;
  onChoose: (index: number) => void;
}

const Row = memo(function Row({ lane, run, end, shaded, onHover, onChoose }: RowProps) {
  const density = useMemo(() => densityPath(lane, run, end), [lane, run, end]);
  const at = (index: number) => ((run.scale[index] ?? 0) / end) * WIDTH;
  const last = at(lane.end ?? run.events.length - 1);
  const grows = lane.first === null ? last : at(lane.first);
  const pointed = (event: MouseEvent) => lane.events[nearest(lane.events, run.scale, timeAt(event, end))] ?? lane.begin;
  const onClick = (event: MouseEvent) => {
    event.stopPropagation();
    onChoose(pointed(event));
  };
  return (
    <div class={`abi-lane abi-${lane.kind}`}>
      <span class="abi-lane-label" title={lane.label}>
        {lane.label}
      </span>
      <Hidden>{laneTells(run, lane)}</Hidden>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
        onMouseMove={(event) => onHover(pointed(event))}
        onMouseLeave={() => onHover(null)}
        onClick={onClick}
      >
        <path class="abi-gap" d={shaded} />
        <rect class="abi-wait" x={at(lane.begin)} width={Math.max(2, grows - at(lane.begin))} y={8} height={4} />
        {lane.first === null ? (
          <rect class="abi-whole" x={at(lane.begin)} width={5} y={4} height={HEIGHT - 8} />
        ) : (
          <rect class="abi-span" x={grows} width={Math.max(2, last - grows)} y={2} height={HEIGHT - 4} />
        )}
        <path class="abi-density" d={density} />
      </svg>
    </div>
  );
});

function timeAt(event: MouseEvent, end: number): number {
  const box = (event.currentTarget as Element).getBoundingClientRect();
  return Math.max(0, Math.min(1, (event.clientX - box.left) / (box.width || 1))) * end;
}

function laneTells(run: Run, lane: Lane): string {
  const when = run.measured
    ? `from ${told(run.scale[lane.begin])} to ${lane.end === null ? "the end" : told(run.scale[lane.end])}`
    : `events ${lane.begin} to ${lane.end ?? run.events.length - 1}`;
  return `${when}, ${lane.deltas} deltas`;
}

function tells(run: Run, index: number): string {
  const lane = run.lanes[run.laneOf[index] ?? -1];
  const event = `event ${index} ${typeOf(run.events[index])}${run.measured ? ` at ${told(run.scale[index])}` : ""}`;
  return lane ? `${lane.label}: ${laneTells(run, lane)} · ${event}` : event;
}

// -- for those who read it ------------------------------------------------------------------------------------------

const MOST_READ = 200;

const AsTable = memo(function AsTable({ run, silent, label }: { run: Run; silent: readonly Gap[]; label: string }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="abi-as-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a table</summary>
      {open && <LaneTable run={run} label={label} />}
      {open && silent.length > 0 && (
        <p>
          Silent for more than 200 ms:{" "}
          {silent
            .slice(0, MOST_READ)
            .map(({ from, to }) => `${told(to - from)} from ${told(from)}`)
            .join("; ")}
          .
        </p>
      )}
    </details>
  );
});

function LaneTable({ run, label }: { run: Run; label: string }) {
  const at = (index: number | null) => (index === null || !run.measured ? "–" : told(run.scale[index]));
  return (
    <table>
      <caption class="ab-hidden">Output items of {label}</caption>
      <thead>
        <tr>
          {["item", "begins", "first delta", "ends", "deltas", "events"].map((each) => (
            <th key={each} scope="col">
              {each}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {run.lanes.slice(0, MOST_READ).map((lane) => (
          <tr key={lane.label}>
            <th scope="row">{lane.label}</th>
            <td class="ab-num">{at(lane.begin)}</td>
            <td class="ab-num">{at(lane.first)}</td>
            <td class="ab-num">{at(lane.end)}</td>
            <td class="ab-num">{lane.deltas}</td>
            <td class="ab-num">{lane.events.length}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
