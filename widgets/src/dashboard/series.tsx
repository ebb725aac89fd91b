// Colours of series, each with a texture, so that nothing is told by colour alone.

import { useState } from "preact/hooks";

let count = 0;

/** A name for the textures of one view: there may be several in a page. */
export function useTextures(): string {
  return useState(() => {
    count += 1;
    return `ab-texture-${count}`;
  })[0];
}

const LINES = [null, "M0 6L6 0", "M3 0V6", "M0 3H6", "M0 0L6 6M0 6L6 0"];

export function Textures({ id }: { id: string }) {
  return (
    <defs>
      {LINES.map((line, index) =>
        line ? (
          <pattern key={line} id={`${id}-${index}`} width="6" height="6" patternUnits="userSpaceOnUse">
            <path d={line} class="ab-texture" />
          </pattern>
        ) : null,
      )}
    </defs>
  );
}

/** A shape of a series: its colour, and its texture over it. */
export function Textured({ d, index, id }: { d: string; index: number; id: string }) {
  return (
    <>
      <path d={d} class={`ab-series-${index}`} />
      {LINES[index] && <path d={d} fill={`url(#${id}-${index})`} />}
    </>
  );
}

/** The sample of a series in a legend or a table. */
export function Swatch({ index, id }: { index: number; id: string }) {
  return (
    <svg class="ab-swatch" width="12" height="12" aria-hidden="true">
      <Textures id={`${id}-s${index}`} />
      <Textured d="M0 0H12V12H0Z" index={index} id={`${id}-s${index}`} />
    </svg>
  );
}
