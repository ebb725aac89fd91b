// The page's sums are those of `UsageFrame.by`: both read one ledger, which the Python tests write.

import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { Calls, type Group, NUMBERS, type Snapshot, type Word } from "../../src/dashboard/calls";
import { type Choice, choose, label, toggled } from "../../src/dashboard/choice";
import { breakdown, failures, histogram, mix, quantile, sorted, total } from "../../src/dashboard/sums";

interface Expected extends Choice {
  ids: number[];
  sums: Partial<Record<Group, Record<string, unknown>[]>>;
  cells: number[];
}

const data = JSON.parse(readFileSync("tests/dashboard/ledger.json", "utf8")) as {
  snapshot: Snapshot;
  choices: Expected[];
};
const calls = Calls.of(data.snapshot);
const first = calls.time[0] as number;
const all = choose(calls, { range: null, filters: {} });
const byWord = (one: { word: Word }, other: { word: Word }) => ((one.word ?? "") < (other.word ?? "") ? -1 : 1);

describe.each(data.choices)("the choice $range $filters", ({ range, filters, ids, sums, cells }) => {
  const chosen = choose(calls, { range, filters });

  it("leaves the rows that the frame has", () => {
    // The number of a call is its place, and the milliseconds of its time.
    expect([...chosen]).toEqual(ids);
    expect([...chosen].map((call) => ((calls.time[call] as number) - first) % 1000)).toEqual(ids);
  });

  it("sums up as the frame does", () => {
    for (const [group, lines] of Object.entries(sums)) {
      const found = breakdown(calls, chosen, group as Group).sort(byWord);
      expect(found).toHaveLength(lines.length);
      lines.forEach((line, index) => {
        for (const [name, value] of Object.entries(line)) {
          const mine = found[index]?.[name as keyof (typeof found)[0]];
          if (typeof value === "number") expect(mine, `${group} ${line.word} ${name}`).toBeCloseTo(value, 4);
          else expect(mine, `${group} ${line.word} ${name}`).toBe(value);
        }
      });
    }
  });

  it("has the frame's cells", () => {
    const found = breakdown(calls, chosen, "cell").map((line) => line.calls);
    expect(found.sort((one, other) => one - other)).toEqual(cells);
  });
});

type Row = Partial<Record<string, number | string>>;

/** A ledger with these calls and nothing else. */
function ledger(...rows: Row[]): Calls {
  const groups = ["model", "agent", "endpoint", "cell", "context", "error"];
  const words = groups.map((name) => [...new Set(rows.map((row) => row[name] ?? null))]);
  const codes = groups.map((name, index) => rows.map((row) => words[index]?.indexOf(row[name] ?? null)));
  const named = (names: string[], each: unknown[]) =>
    Object.fromEntries(names.map((name, index) => [name, each[index]]));
  return Calls.of({
    ...data.snapshot,
    time: rows.map((row, index) => Number(row.time ?? 0) - Number(rows[index - 1]?.time ?? 0)),
    words: named(groups, words),
    codes: named(groups, codes),
    numbers: named(
      [...NUMBERS],
      NUMBERS.map((name) => rows.map((row) => row[name] ?? null)),
    ),
  } as unknown as Snapshot);
}

const every = (found: Calls) => choose(found, { range: null, filters: {} });

test("unknown costs are counted, and no cost is nothing known", () => {
  const found = ledger({ model: "a", cost: 0.5 }, { model: "a" }, { model: "b" });
  expect(total(found, every(found))).toMatchObject({ cost: 0.5, unknown: 2, calls: 3 });
  expect(breakdown(found, every(found), "model")).toMatchObject([
    { word: "a", cost: 0.5, unknown: 1 },
    { word: "b", cost: null, unknown: 1 },
  ]);
});

test("each token is of one kind", () => {
  const found = ledger(
    { input_tokens: 100, cached_tokens: 60, cache_write_tokens: 10, output_tokens: 50, reasoning_tokens: 20 },
    { output_tokens: 5 },
    {},
  );
  expect(mix(found, every(found))).toEqual({ fresh: 30, cached: 60, written: 10, output: 35, reasoning: 20 });
});

test.each([
  [[], 0.5, null],
  [[3], 0.95, 3],
  [[1, 2], 0.5, 1.5],
  [[1, 2, 3, 4, 5], 0.5, 3],
  [[0, 10], 0.95, 9.5],
])("the quantile of %j at %d is %j", (values, share, expected) => {
  expect(quantile(Float64Array.from(values), share)).toBe(expected);
});

test.each([[[]], [[0]], [[1, 1, 1]], [[0.0001, 0.5, 20, 300]], [Array.from({ length: 999 }, (_, n) => n / 7)]])(
  "every wait is in one bar (%#)",
  (values) => {
    const bins = histogram(Float64Array.from(values), 32);
    expect(bins.reduce((sum, bin) => sum + bin.calls, 0)).toBe(values.length);
    for (const [index, bin] of bins.slice(1).entries()) expect(bin.from).toBeCloseTo(bins[index]?.to ?? 0, 10);
  },
);

test("errors are by type with the last time, the most frequent first", () => {
  const found = ledger({ error: "once", time: 9 }, { error: "twice", time: 7 }, {}, { error: "twice", time: 5 });
  expect(failures(found, every(found))).toEqual([
    { word: "twice", calls: 2, last: 7 },
    { word: "once", calls: 1, last: 9 },
  ]);
});

test("calls that come later join those that were there", () => {
  const half = 120;
  const cut = <T>(values: T[], from: number, to?: number) => values.slice(from, to);
  const part = (from: number, to?: number) => ({
    ...data.snapshot,
    time: cut([...calls.time], from, to).map((time, index, times) => time - (times[index - 1] ?? 0)),
    codes: Object.fromEntries(Object.entries(data.snapshot.codes).map(([name, each]) => [name, cut(each, from, to)])),
    numbers: Object.fromEntries(
      Object.entries(data.snapshot.numbers).map(([name, each]) => [name, cut(each, from, to)]),
    ),
  });
  const later = part(half);
  const turned = later.words.model.toReversed(); // another order than before
  later.words = { ...later.words, model: turned };
  later.codes = { ...later.codes, model: (later.codes.model as number[]).map((code) => turned.length - 1 - code) };
  const both = Calls.of(part(0, half) as Snapshot).with(later as Snapshot, 999, calls.sums);
  expect(both.count).toBe(999);
  expect([...both.time]).toEqual([...calls.time]);
  for (const group of ["model", "day", "cell"] as const) {
    expect(breakdown(both, choose(both, { range: null, filters: {} }), group).sort(byWord)).toEqual(
      breakdown(calls, all, group).sort(byWord),
    );
  }
});

test("a day is one of the kernel's clock", () => {
  const late = Calls.of({ ...data.snapshot, offset: 5_400_000 });
  expect(late.word("day", 0)).toBe("2026-11-02");
  expect(Calls.of({ ...data.snapshot, offset: 0 }).word("day", 0)).toBe("2026-11-01");
});

test("a group's own filter doesn't hide its other words", () => {
  const choice = { range: null, filters: { model: ["cloud/small"], agent: ["coder"] } };
  expect(choose(calls, choice, "model").length).toBeGreaterThan(choose(calls, choice).length);
  expect(breakdown(calls, choose(calls, choice, "model"), "agent").map((line) => line.word)).toEqual(["coder"]);
});

test("filters are put on and taken off", () => {
  const one = toggled({}, "model", "a");
  expect(toggled(one, "model", null)).toEqual({ model: ["a", null] });
  expect(toggled(one, "model", "a")).toEqual({});
});

test.each([
  ["agent", null, "no agent"],
  ["model", "m", "m"],
  ["cell", null, "outside of a notebook"],
  ["cell", '["a | b.ipynb","cell-1",3]', "[3] a | b.ipynb"],
  ["cell", '[null,"abcdefghijk",null]', "abcdefgh"],
] as const)("%s %j reads %s", (group, word, expected) => {
  expect(label(group, word)).toBe(expected);
});

test("times that aren't known don't count", () => {
  const found = ledger({ duration: 2 }, {}, { duration: 1 });
  expect([...sorted(found, every(found), "duration")]).toEqual([1, 2]);
});
