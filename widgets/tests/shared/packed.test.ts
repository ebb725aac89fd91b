import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { unpack } from "../../src/shared/packed";

test("a packed value comes back whole, also from within a larger buffer", async () => {
  const value = { rows: [1, 2.5, null], name: "ö" };
  const data = gzipSync(JSON.stringify(value));
  const larger = new Uint8Array(data.length + 8);
  larger.set(data, 4);
  expect(await unpack(new DataView(larger.buffer, 4, data.length))).toEqual(value);
});

test("nothing unpacks to null", async () => {
  expect(await unpack(new DataView(new ArrayBuffer(0)))).toBeNull();
  expect(await unpack(null)).toBeNull();
});
