// The event inspector: one run event by event, and another beside it.

import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { widget } from "../shared/mount";
import { unpack } from "../shared/packed";
import { useTrait } from "../shared/state";
import { Notice, Spinner, Tabs } from "../shared/ui";
import { Compare } from "./compare";
import { Events } from "./events";
import { placeOf } from "./filter";
import { Grammar } from "./grammar";
import { Header } from "./header";
import { JsonTree } from "./json";
import { Answer, Player } from "./player";
import { Protocols } from "./protocols";
import { type Position, type Replay, useReplay } from "./replay";
import { type Run, runOf } from "./run";
import { both, NAMES, type Sides } from "./sides";
import type { Packed, Side } from "./types";
import { Waterfall } from "./waterfall";
import "./inspector.css";

type Panel = "events" | "answer" | "request" | "grammar" | "protocols" | "compare";

function App() {
  const run = useRun("run");
  const other = useRun("other");
  if (run instanceof Error) return <Notice kind="error">This run can't be read: {run.message}</Notice>;
  if (!run) return <Spinner label="Opening the run" />;
  const beside = other instanceof Error ? null : other;
  return (
    <>
      <Header run={run} other={beside} />
      {run.events.length === 0 && <Notice kind="info">No event has come.</Notice>}
      {run.events.length > 0 && <Inspected run={run} other={beside} />}
    </>
  );
}

/** A side's recording, once it is unpacked. */
function useRun(side: Side): Run | Error | null {
  const data = useTrait<DataView>(side);
  const [run, setRun] = useState<Run | Error | null>(null);
  useEffect(() => {
    let current = true;
    unpack<Packed>(data)
      .then((packed) => packed && runOf(packed))
      .catch((error: Error) => error)
      .then((value) => current && setRun(value));
    return () => {
      current = false;
    };
  }, [data]);
  return run;
}

function Inspected({ run, other }: { run: Run; other: Run | null }) {
  const end = Math.max(run.end, other?.end ?? 0);
  const replay = useReplay(run, end);
  const [panel, setPanel] = useState<Panel>("events");
  const { choose, seek } = useStable(replay);
  const chooseBeside = useCallback((index: number) => seek(other?.scale[index] ?? 0), [seek, other]);
  const show = useCallback(
    (index: number) => {
      choose(index);
      setPanel("events");
    },
    [choose],
  );
  const sides: Sides = { run: { run, at: begun(replay.at.index), choose } };
  if (other) sides.other = { run: other, at: simultaneous(other, replay.at), choose: chooseBeside };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: shortcuts, each of which a button does too
    <div onKeyDown={(event) => onKey(event, replay)}>
      {both(sides).map(([side, each]) => (
        <Waterfall
          key={side}
          run={each.run}
          end={end}
          at={replay.at.seconds}
          chosen={each.at}
          label={NAMES[side]}
          onChoose={each.choose}
        />
      ))}
      <Player run={run} end={end} replay={replay} />
      <PanelTabs run={run} other={other} panel={panel} setPanel={setPanel} />
      <div class="abi-panel" role="tabpanel" aria-label={panel}>
        {panel === "events" && <Events run={run} chosen={sides.run.at} onChoose={choose} />}
        {panel === "answer" && <Answers sides={sides} replay={replay} />}
        {panel === "request" && <Requests sides={sides} />}
        {panel === "grammar" && <Grammars sides={sides} onShow={show} />}
        {panel === "protocols" && <Protocols sides={sides} />}
        {panel === "compare" && other && (
          <>
            <Compare run={run} other={other} />
            <Answers sides={sides} replay={replay} />
          </>
        )}
      </div>
    </div>
  );
}

/** The last event that has come, if any has. */
const begun = (index: number | null) => (index === null || index < 0 ? null : index);

/** The event at which the run beside stands when this one stands there, both counted from their requests. */
function simultaneous(other: Run, at: Position): number | null {
  return at.index === null ? null : begun(placeOf(other.scale, at.seconds));
}

function Answers({ sides, replay }: { sides: Sides; replay: Replay }) {
  const isWhole = replay.at.index === null;
  return (
    <div class={sides.other ? "abi-pair" : ""}>
      {both(sides).map(([side, { run, at }]) => (
        <Answer
          key={side}
          run={run}
          at={isWhole ? null : (at ?? -1)}
          playing={replay.playing}
          {...(sides.other ? { title: `Answer of ${NAMES[side]}` } : {})}
        />
      ))}
    </div>
  );
}

/** What was asked. */
function Requests({ sides }: { sides: Sides }) {
  return (
    <div class={sides.other ? "abi-pair" : ""}>
      {both(sides).map(([side, { run }]) => (
        <JsonTree key={`${side}${run.id}`} value={run.request ?? "The request was not kept."} />
      ))}
    </div>
  );
}

function Grammars({ sides, onShow }: { sides: Sides; onShow: (index: number) => void }) {
  return (
    <div class={sides.other ? "abi-pair" : ""}>
      {both(sides).map(([side, { run, choose }]) => (
        <Grammar key={side} run={run} onChoose={side === "run" ? onShow : choose} />
      ))}
    </div>
  );
}

interface PanelTabsProps {
  run: Run;
  other: Run | null;
  panel: Panel;
  setPanel: (panel: Panel) => void;
}

function PanelTabs({ run, other, panel, setPanel }: PanelTabsProps) {
  const broken = run.violation_count + (other?.violation_count ?? 0);
  const tabs: { value: Panel; label: string }[] = [
    { value: "events", label: "Events" },
    { value: "answer", label: "Answer" },
    { value: "request", label: "Request" },
    { value: "grammar", label: broken ? `Grammar (${broken})` : "Grammar" },
    { value: "protocols", label: "Protocols" },
  ];
  if (other) tabs.push({ value: "compare", label: "Compare" });
  useEffect(() => {
    if (!other && panel === "compare") setPanel("events");
  }, [other, panel, setPanel]);
  return <Tabs label="What is shown of the run" value={panel} tabs={tabs} onChange={setPanel} />;
}

/** The replay's actions under names that stay the same, so that what doesn't change isn't drawn again. */
function useStable(replay: Replay) {
  const [latest] = useState({ replay });
  latest.replay = replay;
  return useMemo(
    () => ({
      choose: (index: number) => latest.replay.choose(index),
      seek: (seconds: number) => latest.replay.seek(seconds),
    }),
    [latest],
  );
}

const TAKES_SPACE = "input, select, textarea, button, summary";
const TAKES_ARROWS = "input, select, textarea, [role=tab]";

/** Space plays and pauses, the arrows to the left and right go to the event before and after. */
function onKey(event: KeyboardEvent, replay: Replay) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const target = event.target as Element;
  if (event.key === " " && !target.closest(TAKES_SPACE)) replay.toggle();
  else if (event.key === "ArrowRight" && !target.closest(TAKES_ARROWS)) replay.step(1);
  else if (event.key === "ArrowLeft" && !target.closest(TAKES_ARROWS)) replay.step(-1);
  else return;
  event.preventDefault();
}

export default widget(App, "inspector");
