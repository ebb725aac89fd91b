// Numbers as people read them. What isn't known is a dash, never a zero.

const UNKNOWN = "–";

export function count(value: number | null | undefined): string {
  return value == null ? UNKNOWN : value.toLocaleString("en-US");
}

/** 1234567 → 1.23M, for axes and narrow places. */
export function short(value: number | null | undefined): string {
  if (value == null) return UNKNOWN;
  for (const [size, unit] of [
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (Math.abs(value) >= size) return `${Number((value / size).toPrecision(3))}${unit}`;
  }
  return `${Number(value.toPrecision(3))}`;
}

export function dollars(value: number | null | undefined): string {
  if (value == null) return UNKNOWN;
  if (value === 0) return "$0";
  return value >= 0.01 ? `$${value.toFixed(2)}` : `$${Number(value.toPrecision(2))}`;
}

export function seconds(value: number | null | undefined): string {
  if (value == null) return UNKNOWN;
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  if (value < 90) return `${value.toFixed(value < 10 ? 2 : 1)} s`;
  return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
}

export function bytes(value: number): string {
  return value < 1000 ? `${value} B` : `${short(value)}B`;
}

/** The time of day, and the date where it isn't today. */
export function clock(iso: string): string {
  const at = new Date(iso);
  const today = new Date().toDateString() === at.toDateString();
  const time = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return today ? time : `${at.toLocaleDateString("en-CA")} ${time}`;
}
