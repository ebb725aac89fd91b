// The usage dashboard: the kernel sends calls, this sums them up.

import "./dashboard.css";
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { count } from "../shared/format";
import { widget } from "../shared/mount";
import { useSetTrait, useStatus, useTrait, useView } from "../shared/state";
import { Button, Hidden, Notice, Select, Spinner } from "../shared/ui";
import { Breakdown } from "./breakdown";
import type { Calls, Group, Word } from "./calls";
import { type Choice, choose, type Filters, label, type Range, toggled } from "./choice";
import { at, zone } from "./clock";
import { follow } from "./feed";
import { OverTime } from "./over-time";
import { Errors, Latency, TokenMix } from "./panels";
import { total } from "./sums";
import { MEASURES, type Measure, timeline } from "./timeline";
import { Meters, type Money, Totals } from "./totals";

const MOST_STEPS = 72;

export function App() {
  const calls = useCalls();
  const money = useTrait<Money>("money");
  const trouble = useTrait<string>("trouble");
  return (
    <>
      {trouble && <Notice kind="warning">{trouble}</Notice>}
      {!calls && (
        <div class="ab-bar">
          <Spinner label="The calls are being read" />
        </div>
      )}
      {calls && calls.length === 0 && <Empty />}
      {calls && calls.length === 0 && <Meters {...money} />}
      {calls && calls.length > 0 && <Dashboard calls={calls} money={money} />}
    </>
  );
}

function useCalls(): Calls | null {
  const { model, kernel } = useView();
  const [calls, setCalls] = useState<Calls | null>(null);
  useEffect(() => {
    const ended = new AbortController();
    follow(model, kernel, setCalls, ended.signal);
    return () => ended.abort();
  }, [model, kernel]);
  return calls;
}

function Empty() {
  return (
    <p class="ab-empty">
      No calls yet. Ask something, such as <code>%agent chat hello</code>, and it shows up here. Where the dashboard was
      opened with a choice, such as <code>--since</code>, only such calls do.
    </p>
  );
}

/** The range and filters of all views, and how to change them; a range in the hand is this view's alone. */
function useChoice() {
  const { model } = useView();
  const selected = useTrait<[number, number] | null>("selected");
  const filters = useTrait<Filters>("filters");
  const setSelected = useSetTrait<Range | null>("selected");
  const setFilters = useSetTrait<Filters>("filters");
  const [held, setHeld] = useState<Range | null>(null);
  const choice = useMemo<Choice>(() => ({ range: held ?? selected, filters }), [held, selected, filters]);
  const onRange = useCallback(
    (range: Range | null, settled: boolean) => {
      setHeld(settled ? null : range);
      if (settled) setSelected(range);
    },
    [setSelected],
  );
  const onToggle = useCallback(
    (group: Group, word: Word) => setFilters(toggled(filters, group, word)),
    [filters, setFilters],
  );
  const clear = () => {
    model.set("selected", null);
    model.set("filters", {});
    model.save_changes();
  };
  return { choice, onRange, onToggle, clear };
}

function Dashboard({ calls, money }: { calls: Calls; money: Money }) {
  const { choice, onRange, onToggle, clear } = useChoice();
  const [measure, setMeasure] = useState<Measure>("tokens");
  const chosen = useMemo(() => choose(calls, choice), [calls, choice]);
  const line = useMemo(() => total(calls, chosen), [calls, chosen]);
  const over = useMemo(
    () => timeline(calls, choose(calls, { range: null, filters: choice.filters }), measure, MOST_STEPS),
    [calls, choice.filters, measure],
  );
  return (
    <>
      <div class="ab-bar">
        <strong class="ab-grow">Usage</strong>
        <State />
        <Select
          label="Show"
          value={measure}
          options={MEASURES.map((value) => ({ value, label: value }))}
          onChange={(value) => setMeasure(value as Measure)}
        />
      </div>
      <Totals line={line} calls={calls} />
      <Meters {...money} />
      {over && <OverTime line={over} measure={measure} offset={calls.offset} range={choice.range} onRange={onRange} />}
      <Chips calls={calls} choice={choice} onRange={onRange} onToggle={onToggle} clear={clear} />
      <Told choice={choice} text={`${count(chosen.length)} of ${count(calls.length)} calls`} />
      <div class="ab-panels">
        <Breakdown calls={calls} choice={choice} measure={measure} onToggle={onToggle} />
        <TokenMix calls={calls} chosen={chosen} />
        <Latency calls={calls} chosen={chosen} />
        <Errors calls={calls} choice={choice} onToggle={onToggle} />
      </div>
    </>
  );
}

function State() {
  const status = useStatus();
  return (
    <span class="ab-muted">{status === "live" ? "live" : status === "none" ? "as saved" : "not followed now"}</span>
  );
}

interface ChipsProps {
  calls: Calls;
  choice: Choice;
  onRange: (range: null, settled: true) => void;
  onToggle: (group: Group, word: Word) => void;
  clear: () => void;
}

function Chips({ calls, choice: { range, filters }, onRange, onToggle, clear }: ChipsProps) {
  const words = (Object.entries(filters) as [Group, Word[]][]).flatMap(([group, each]) =>
    each.map((word) => ({ group, word })),
  );
  if (!range && !words.length) {
    return <p class="ab-chips ab-muted">Drag over the bars to choose a time, press a row to filter.</p>;
  }
  return (
    <div class="ab-chips">
      {range && (
        <Chip
          text={`${at(range[0], calls.offset, range[1] - range[0] < 60_000 ? 1000 : 60_000)} – ${at(range[1], calls.offset, range[1] - range[0] < 60_000 ? 1000 : 60_000)} ${zone(calls.offset)}`}
          onRemove={() => onRange(null, true)}
        />
      )}
      {words.map(({ group, word }) => (
        <Chip
          key={`${group} ${word}`}
          text={`${group}: ${label(group, word)}`}
          onRemove={() => onToggle(group, word)}
        />
      ))}
      <Button kind="quiet" onClick={clear}>
        Show all
      </Button>
    </div>
  );
}

function Chip({ text, onRemove }: { text: string; onRemove: () => void }) {
  return (
    <button type="button" class="ab-chip" onClick={onRemove}>
      {text} <span aria-hidden="true">✕</span>
      <Hidden>, remove</Hidden>
    </button>
  );
}

/** Tells screen readers how many calls a choice leaves; not of each call that is made meanwhile. */
function Told({ choice, text }: { choice: Choice; text: string }) {
  const [told, setTold] = useState("");
  useEffect(() => {
    if (choice.range || Object.keys(choice.filters).length) setTold(text);
  }, [choice]);
  return (
    <div role="status">
      <Hidden>{told}</Hidden>
    </div>
  );
}

export default widget(App, "dashboard");
