// Joins the modules of each published package into a few files in its lib/, one for each file that its `exports` and its
// programs name and chunks for what these share: a program of 400 modules takes twice as long to start as one of five files.
// dist/ keeps the single modules and the types. Other packages stay imports.
//   node .ci/bundle.mjs
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const root = new URL("..", import.meta.url).pathname;
const folders = [...readdirSync(join(root, "packages")).map((name) => join("packages", name)), "scripts"];

/** The files in lib/ that users of the package reach: by its exports, and by its programs' `import "../lib/..."`. */
function entriesOf(folder, { exports = {}, bin = {} }) {
  const programs = [...new Set(Object.values(bin))].map((file) => readFileSync(join(folder, file), "utf8"));
  return [
    ...Object.values(exports).map((target) => target.default),
    ...programs.flatMap((text) => [...text.matchAll(/"\.\.\/(lib\/[^"]+)"/g)].map(([, file]) => `./${file}`)),
  ];
}

for (const folder of folders.filter((name) => !name.includes(".")).map((name) => join(root, name))) {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  if (manifest.private === true) continue;
  const { metafile } = await build({
    absWorkingDir: folder,
    entryPoints: entriesOf(folder, manifest).map((file) => file.replace(/^\.\/lib\/(.*)\.js$/, "src/$1.ts")),
    outbase: "src",
    outdir: "lib",
    bundle: true,
    splitting: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node20.19",
    // Classes and functions tell their names in errors.
    keepNames: true,
    sourcemap: "linked",
    metafile: true,
    logLevel: "warning",
  });
  // What an earlier build left; removed only now, for programs that run meanwhile.
  for (const file of readdirSync(join(folder, "lib"), { recursive: true })) {
    const path = join("lib", file);
    if (file.includes(".js") && metafile.outputs[path] === undefined) rmSync(join(folder, path));
  }
}
