// Bundles each widget into one ES module and one style sheet, with nothing left to fetch, and copies the pages' files
// of swagger-ui that the gateway serves.
//
//   node build.mjs            once, minified
//   node build.mjs --watch    again at each change, with names kept for the debugger
//
// It writes into the Python package; AGENTBENCH_PACKAGE names another folder.

import { cpSync, existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, context } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const watch = process.argv.includes("--watch");
const names = ["chat", "inspector", "tuner", "builder", "dashboard", "host"];
const out = process.env.AGENTBENCH_PACKAGE ?? here("../src/agentbench");
const swagger = [
  "swagger-ui-bundle.js",
  "swagger-ui-bundle.js.LICENSE.txt",
  "swagger-ui.css",
  "favicon-32x32.png",
  "LICENSE",
  "NOTICE",
];

const options = {
  entryPoints: names
    .map((name) => ({ in: here(`src/${name}/index.tsx`), out: name }))
    .filter((entry) => existsSync(entry.in)),
  outdir: `${out}/notebook/static`,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: !watch,
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: watch ? "info" : "warning",
};

for (const name of swagger) {
  cpSync(here(`node_modules/swagger-ui-dist/${name}`), `${out}/gateway/static/swagger-ui/${name}`);
}

if (watch) {
  await (await context(options)).watch();
} else {
  await build(options);
}
