import { expect, test } from "vitest";
import { bytes, clock, count, dollars, seconds, short } from "../../src/shared/format";

test("what isn't known is a dash, never a zero", () => {
  expect([count, short, dollars, seconds].map((format) => format(null))).toEqual(["–", "–", "–", "–"]);
});

test("counts have separators", () => {
  expect(count(1234567)).toBe("1,234,567");
});

test.each([
  [0, "0"],
  [999, "999"],
  [1234, "1.23k"],
  [1_234_567, "1.23M"],
  [2e9, "2B"],
])("%d is short as %s", (value, text) => {
  expect(short(value)).toBe(text);
});

test.each([
  [0, "$0"],
  [0.00012, "$0.00012"],
  [0.01, "$0.01"],
  [12.345, "$12.35"],
])("%d costs %s", (value, text) => {
  expect(dollars(value)).toBe(text);
});

test.each([
  [0.0421, "42 ms"],
  [3.204, "3.20 s"],
  [42.04, "42.0 s"],
  [125, "2 min 5 s"],
])("%d seconds are %s", (value, text) => {
  expect(seconds(value)).toBe(text);
});

test("bytes have a unit from a thousand on", () => {
  expect([bytes(12), bytes(1_200_000)]).toEqual(["12 B", "1.2MB"]);
});

test("today is a time of day, another day has its date", () => {
  const now = new Date();
  expect(clock(now.toISOString())).toMatch(/^\d\d:\d\d$/);
  expect(clock("2020-02-03T12:00:00Z")).toMatch(/^2020-02-03 \d\d:\d\d$/);
});
