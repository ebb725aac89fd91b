// Something folded: what is in it is put into the page when it is opened for the first time.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

interface Props {
  summary: ComponentChildren;
  children: () => ComponentChildren;
  class: string;
  open?: boolean;
}

export function Fold({ summary, children, class: name, open = false }: Props) {
  const [wasOpened, setOpened] = useState(open);
  return (
    <details class={name} open={open} onToggle={(event) => event.currentTarget.open && setOpened(true)}>
      <summary>{summary}</summary>
      {wasOpened && <div class="ab-folded">{children()}</div>}
    </details>
  );
}
