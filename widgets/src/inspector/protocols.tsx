// The protocol switch: the run's frames on a wire, each linked to the event that caused it.

import { useMemo, useState } from "preact/hooks";
import { count } from "../shared/format";
import { VirtualList } from "../shared/list";
import { memo } from "../shared/memo";
import { Button, Notice, Select, Spinner, Tabs } from "../shared/ui";
import { copyText } from "./copy";
import { visible } from "./events";
import { placeOf } from "./filter";
import { type Run, typeOf } from "./run";
import { both, NAMES, type Sides } from "./sides";
import type { Side } from "./types";
import { joined, type Sent, useWire, type Wire } from "./wires";

const ROW = 22;
const HEIGHT = 330;
const MOST_RAW = 200_000;
const WIRES: { value: Wire; label: string }[] = [
  { value: "events", label: "Open Responses events" },
  { value: "responses", label: "Responses SSE" },
  { value: "chat", label: "Chat chunks" },
  { value: "anthropic", label: "Anthropic events" },
  { value: "ollama", label: "Ollama NDJSON" },
];
const RECEIVED: { value: Wire; label: string } = { value: "received", label: "As received" };

export function Protocols({ sides }: { sides: Sides }) {
  const [wire, setWire] = useState<Wire>("responses");
  const [wanted, setSide] = useState<Side>("run");
  const [raw, setRaw] = useState(false);
  const side = sides[wanted] ? wanted : "run";
  const { run, at, choose } = sides[side] ?? sides.run;
  const tabs = run.frames.length ? [...WIRES, RECEIVED] : WIRES;
  const shown = tabs.some(({ value }) => value === wire) ? wire : "responses";
  const loaded = useWire(run, shown, side);
  return (
    <div class="abi-protocols">
      <div class="abi-filter">
        <Tabs label="Protocol" value={shown} tabs={tabs} onChange={setWire} />
        {sides.other && (
          <Select
            label="Of"
            value={side}
            options={both(sides).map(([value]) => ({ value, label: NAMES[value] }))}
            onChange={(value) => setSide(value as Side)}
          />
        )}
        <Button pressed={raw} onClick={() => setRaw(!raw)}>
          Raw text
        </Button>
      </div>
      {run.rebuilt && <Notice kind="info">The deltas of this run were not kept, so no protocol can show them.</Notice>}
      {loaded === null && <Spinner label="Fetching" />}
      {loaded && "error" in loaded && <Notice kind="error">{loaded.error}</Notice>}
      {loaded && "frames" in loaded && raw && <Raw frames={loaded.frames} />}
      {loaded && "frames" in loaded && !raw && <Frames run={run} frames={loaded.frames} at={at} onChoose={choose} />}
    </div>
  );
}

const Raw = memo(function Raw({ frames }: { frames: readonly Sent[] }) {
  const text = joined(frames, MOST_RAW);
  return (
    <div class="abi-raw">
      <div class="abi-filter">
        <Button onClick={() => copyText(joined(frames))}>Copy all</Button>
        {text.length === MOST_RAW && (
          <span class="ab-muted">The first {count(MOST_RAW)} characters; copying takes all of them.</span>
        )}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section tabIndex={0} aria-label="Raw text">
        <pre class="ab-mono">{text}</pre>
      </section>
    </div>
  );
});

const MOST_READ = 4000;
const keysOf = (frame: Sent | undefined) =>
  (frame?.text ?? "")
    .slice(0, MOST_READ)
    .trim()
    .split(/,(?=")/);

/** A frame in one line: what it has that the frame before has not, as protocols repeat most of their keys. */
export function preview(frames: readonly Sent[], index: number): string {
  const before = new Set(keysOf(frames[index - 1]));
  const all = keysOf(frames[index]);
  const fresh = all.filter((each) => !before.has(each));
  return fresh.length && fresh.length < all.length ? visible(`… ${fresh.join(" … ")}`) : visible(all.join(","));
}

interface FramesProps {
  run: Run;
  frames: readonly Sent[];
  at: number | null;
  onChoose: (index: number) => void;
}

function Frames({ run, frames, at, onChoose }: FramesProps) {
  const [picked, setPicked] = useState(-1);
  const causes = useMemo(() => frames.map(({ index }) => index), [frames]);
  const place = at === null || frames[picked]?.index === at ? picked : placeOf(causes, at);
  const frame = frames[place];
  const choose = (row: number) => {
    setPicked(row);
    onChoose(causes[row] ?? 0);
  };
  const row = (index: number) => (
    <div class="abi-frame ab-mono">
      <span class="ab-num ab-muted">{index}</span>
      <span class="ab-num">event {causes[index]}</span>
      <span class="abi-piece">{preview(frames, index)}</span>
    </div>
  );
  return (
    <div class="abi-split">
      <div class="abi-list-head ab-muted">
        {count(frames.length)} {frames.length === 1 ? "frame" : "frames"}
      </div>
      <VirtualList
        count={frames.length}
        rowHeight={ROW}
        height={HEIGHT}
        chosen={frame ? place : null}
        label="Frames"
        row={row}
        onChoose={choose}
      />
      <section class="abi-detail" aria-label="The chosen frame">
        {!frame && <span class="ab-muted">Choose a frame to see it whole.</span>}
        {frame && (
          <>
            <header>
              <strong>Frame {place}</strong>
              <span class="ab-muted">
                {at !== null && frame.index !== at ? `event ${at} sends nothing here; before it: ` : ""}
                event {frame.index}, {typeOf(run.events[frame.index])}
              </span>
              <Button kind="quiet" onClick={() => copyText(frame.text)}>
                Copy frame
              </Button>
            </header>
            <pre class="ab-mono">{frame.text}</pre>
          </>
        )}
      </section>
    </div>
  );
}
