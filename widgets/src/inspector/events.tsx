// The list of events, what of it is shown, and one event's JSON.

import { useEffect, useMemo, useState } from "preact/hooks";
import { count, seconds } from "../shared/format";
import { VirtualList } from "../shared/list";
import { memo } from "../shared/memo";
import { Button, Hidden } from "../shared/ui";
import { copyText } from "./copy";
import { filtered, placeOf, prepare } from "./filter";
import { JsonTree } from "./json";
import { piece, type Run, typeOf } from "./run";

const ROW = 22;
const HEIGHT = 330;
const MOST_SHOWN = 160;
const MOST_TYPES = 200;

interface Props {
  run: Run;
  chosen: number | null;
  onChoose: (index: number) => void;
}

export const Events = memo(function Events({ run, chosen, onChoose }: Props) {
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [text, setText] = useState("");
  const shown = useMemo(() => filtered(run, hidden, text), [run, hidden, text]);
  const place = chosen === null ? -1 : placeOf(shown, chosen);
  return (
    <div class="abi-events">
      <Filter run={run} hidden={hidden} setHidden={setHidden} text={text} setText={setText} found={shown.length} />
      <div class="abi-split">
        <div class="abi-list-head ab-muted" aria-hidden="true">
          <span>#</span>
          <span>time</span>
          <span>after</span>
          <span>type</span>
          <span>piece</span>
        </div>
        <VirtualList
          count={shown.length}
          rowHeight={ROW}
          height={HEIGHT}
          chosen={place >= 0 ? place : null}
          label="Events"
          row={(row) => <EventRow run={run} index={shown[row] ?? 0} />}
          onChoose={(row) => onChoose(shown[row] ?? 0)}
        />
        <Detail run={run} index={chosen} />
      </div>
    </div>
  );
});

interface FilterProps {
  run: Run;
  hidden: ReadonlySet<string>;
  setHidden: (hidden: ReadonlySet<string>) => void;
  text: string;
  setText: (text: string) => void;
  found: number;
}

function Filter({ run, hidden, setHidden, text, setText, found }: FilterProps) {
  const shown = run.counts.length - hidden.size;
  const [searching, setSearching] = useState(false);
  useEffect(() => (searching ? prepare(run) : undefined), [searching, run]);
  return (
    <div class="abi-filter">
      <label class="ab-select">
        <span class="ab-label">Find</span>
        <input
          type="search"
          value={text}
          placeholder="in the JSON"
          onFocus={() => setSearching(true)}
          onInput={(each) => setText(each.currentTarget.value)}
        />
      </label>
      <details class="abi-types" onKeyDown={closeOnEscape}>
        <summary>{shown === run.counts.length ? "All types" : `${shown} of ${run.counts.length} types`}</summary>
        <fieldset>
          <legend class="ab-hidden">Types of events that are shown</legend>
          <div>
            <Button onClick={() => setHidden(new Set())}>All</Button>{" "}
            <Button onClick={() => setHidden(new Set(run.counts.map(([type]) => type)))}>None</Button>
          </div>
          {run.counts.slice(0, MOST_TYPES).map(([type, each]) => (
            <label key={type}>
              <input type="checkbox" checked={!hidden.has(type)} onChange={() => setHidden(toggled(hidden, type))} />
              <span class="ab-mono">{type}</span>
              <span class="ab-muted ab-num">{count(each)}</span>
            </label>
          ))}
        </fieldset>
      </details>
      <span class="ab-muted" role="status">
        {count(found)} of {count(run.events.length)} events
      </span>
    </div>
  );
}

function closeOnEscape(event: KeyboardEvent) {
  const details = event.currentTarget as HTMLDetailsElement;
  if (event.key !== "Escape" || !details.open) return;
  details.open = false;
  details.querySelector("summary")?.focus();
}

function toggled(set: ReadonlySet<string>, value: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(value)) next.add(value);
  return next;
}

function EventRow({ run, index }: { run: Run; index: number }) {
  const event = run.events[index] ?? {};
  const now = run.scale[index] ?? 0;
  const after = now - (run.scale[index - 1] ?? 0);
  const lane = run.lanes[run.laneOf[index] ?? -1];
  const broken = run.broken.get(index);
  return (
    <div class={`abi-event ab-mono${broken ? " abi-broken" : ""}`}>
      <span class="ab-num ab-muted">{index}</span>
      <span class="ab-num">{run.measured ? `${now.toFixed(4)} s` : "–"}</span>
      <span class="ab-num ab-muted">{run.measured ? `+${(after * 1000).toFixed(after < 0.01 ? 1 : 0)} ms` : ""}</span>
      <span class="abi-type">
        {broken && (
          <b title={broken.map((each) => each.message).join("\n")}>
            !<Hidden> breaks {broken.map((each) => each.rule).join(", ")} </Hidden>
          </b>
        )}
        {typeOf(event).replace(/^response\./, "")}
        {lane && <span class="ab-muted"> {lane.label}</span>}
      </span>
      <span class="abi-piece">{visible(piece(event))}</span>
    </div>
  );
}

/** A piece of text in one line, its line ends and tabs to be seen. */
export function visible(text: string): string {
  const cut = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
  return cut.replace(/\r?\n/g, "↵").replace(/\t/g, "⇥");
}

function Detail({ run, index }: { run: Run; index: number | null }) {
  const event = index === null ? undefined : run.events[index];
  if (index === null || !event) {
    return <div class="abi-detail ab-muted">Choose an event to see its JSON.</div>;
  }
  return (
    <section class="abi-detail" aria-label={`JSON of event ${index}`}>
      <header>
        <strong>Event {index}</strong>
        <span class="ab-muted">{run.measured ? seconds(run.scale[index]) : ""}</span>
        <Button kind="quiet" onClick={() => copyText(JSON.stringify(event, null, 2))}>
          Copy JSON
        </Button>
      </header>
      {run.broken.get(index)?.map((each) => (
        <p key={`${each.rule}${each.message}`} class="abi-broken">
          <b>{each.rule}</b> {each.message}
        </p>
      ))}
      <JsonTree key={index} value={event} />
    </section>
  );
}
