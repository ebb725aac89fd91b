// Each rule of the protocol that the run breaks, and where.

import { count } from "../shared/format";
import { memo } from "../shared/memo";
import { Notice } from "../shared/ui";
import type { Run } from "./run";
import type { Violation } from "./types";
import { received } from "./wires";

const MOST_SHOWN = 50;

interface Props {
  run: Run;
  onChoose: (index: number) => void;
}

export const Grammar = memo(function Grammar({ run, onChoose }: Props) {
  if (run.rebuilt) return <Notice kind="info">These events were made again: there is no grammar to check.</Notice>;
  if (!run.violation_count) return <p class="abi-fine">No violation: {run.rules} rules checked.</p>;
  const rules = byRule(run.violations);
  return (
    <div class="abi-grammar">
      <p>
        {count(run.violation_count)} {run.violation_count === 1 ? "violation" : "violations"} of {rules.length} of{" "}
        {run.rules} rules.
        {run.violation_count > run.violations.length && ` The first ${count(run.violations.length)} are shown.`}
      </p>
      {rules.map(([rule, found]) => (
        <section key={rule} aria-label={rule}>
          <h4>
            <code>{rule}</code> <span class="ab-muted">{count(found.length)}</span>
          </h4>
          <p>{withCode(found[0]?.sentence ?? "")}</p>
          <ul>
            {found.slice(0, MOST_SHOWN).map((each, place) => (
              <li key={place}>
                <Place run={run} violation={each} onChoose={onChoose} /> {each.message}
              </li>
            ))}
            {found.length > MOST_SHOWN && <li class="ab-muted">{count(found.length - MOST_SHOWN)} more</li>}
          </ul>
        </section>
      ))}
    </div>
  );
});

/** A sentence, with what it has between backticks as code. */
function withCode(sentence: string) {
  return sentence.split("`").map((part, place) => (place % 2 ? <code key={`${place}${part}`}>{part}</code> : part));
}

function Place({ run, violation, onChoose }: Props & { violation: Violation }) {
  const { event, frame } = violation;
  const name = frame === null ? `event ${event}` : `frame ${frame}`;
  const place = frame === null ? event : received(run)[frame]?.index;
  if (place == null) return <span class="ab-muted">the stream:</span>;
  if (place >= run.events.length) return <span class="ab-muted">{name}:</span>;
  return (
    <button type="button" class="ab-button" onClick={() => onChoose(place)}>
      {name}
    </button>
  );
}

function byRule(violations: readonly Violation[]): [string, Violation[]][] {
  const rules = new Map<string, Violation[]>();
  for (const each of violations) rules.set(each.rule, [...(rules.get(each.rule) ?? []), each]);
  return [...rules];
}
