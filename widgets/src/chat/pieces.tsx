// The top-level pieces of a rendered text. Each is replaced only when it has changed.

import { Html } from "../shared/html";

const WIDE = { "<pre": "Code", "<tab": "Table" } as Record<string, string>;

export function Pieces({ html }: { html: readonly string[] }) {
  return (
    <>
      {html.map((piece, index) => (
        <Piece key={index} html={piece} />
      ))}
    </>
  );
}

/** Code and tables scroll sideways, by keyboard too; everything else wraps. */
function Piece({ html }: { html: string }) {
  const label = WIDE[html.slice(0, 4)];
  if (!label) return <Html html={html} />;
  return (
    // biome-ignore lint/a11y/useSemanticElements: it names what is scrolled, it is no form
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it
    <div class="ab-wide" role="group" aria-label={label} tabIndex={0}>
      <Html html={html} />
    </div>
  );
}
