// The form to be read: in a page that has no kernel nothing can be changed.

import { useState } from "preact/hooks";
import { useTrait } from "../shared/state";
import { Select } from "../shared/ui";
import { Said } from "./trying";
import { type Answer, type Collection, type Control, called, type Form, type Listed, NEW, shown } from "./types";

const LABELS: readonly [Control, string][] = [
  ["name", "Name"],
  ["description", "Description"],
  ["model", "Model"],
  ["instructions", "Instructions"],
  ["temperature", "Temperature"],
  ["top_p", "Top p"],
  ["file_search", "file_search"],
  ["code_interpreter", "code_interpreter"],
  ["functions", "Functions"],
  ["others", "Other functions"],
  ["store", "Files"],
  ["metadata", "Metadata"],
];

export function ReadingTable() {
  const first = useTrait<string>("assistant");
  const [assistant, setAssistant] = useState(first);
  const form = useTrait<Form>("form");
  const forms = useTrait<Record<string, Form> | undefined>("forms");
  const listed = useTrait<Listed[]>("assistants");
  const collections = useTrait<Collection[]>("collections");
  const answer = useTrait<Answer | null>("answer");
  const options = listed.map((each) => ({ value: each.id, label: called(each) }));
  const known = first === NEW ? [{ value: NEW, label: "New assistant" }, ...options] : options;
  const chosen = forms?.[assistant] ?? form;
  const lines = LABELS.filter(([control]) => shown(chosen, control) !== "");
  return (
    <>
      <div class="ab-bar">
        <Select label="Assistant" value={assistant} options={known} onChange={setAssistant} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section class="ab-reading" aria-label="Assistant" tabIndex={0}>
        <table>
          <tbody>
            {lines.map(([control, label]) => (
              <tr key={control}>
                <th scope="row">{label}</th>
                <td>{shown(chosen, control, collections)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {lines.length === 0 && <p class="ab-muted">Nothing is filled in yet.</p>}
        {answer && assistant === first && <Said answer={{ ...answer, running: false }} />}
      </section>
    </>
  );
}
