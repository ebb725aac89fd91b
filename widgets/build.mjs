// Bundles each widget into one ES module and one style sheet, with nothing left to fetch.
//
//   node build.mjs            once, minified
//   node build.mjs --watch    again at each change, with names kept for the debugger
//
// The output folder is the Python package's; AGENTBENCH_STATIC names another.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, context } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const watch = process.argv.includes("--watch");
const names = ["chat", "inspector", "tuner", "dashboard", "host"];

const options = {
  entryPoints: names
    .map((name) => ({ in: here(`src/${name}/index.tsx`), out: name }))
    .filter((entry) => existsSync(entry.in)),
  outdir: process.env.AGENTBENCH_STATIC ?? here("../src/agentbench/notebook/static"),
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: !watch,
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: watch ? "info" : "warning",
};

if (watch) {
  await (await context(options)).watch();
} else {
  await build(options);
}
