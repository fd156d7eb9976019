// Every package's tsconfig references are exactly its @skytools dependencies: arrows point one way only. And a package's tests
// take its single modules (#src/...), never the joined ones of its exports beside them: that would be two of each class.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const byName = (a, b) => (a < b ? -1 : 1);
const packageDirs = readdirSync(join(root, "packages")).filter((name) => !name.includes("."));
const dirs = [...packageDirs.map((name) => join("packages", name)), "scripts", "sql"];

const readJson = (path) => JSON.parse(readFileSync(join(root, path), "utf8"));
const manifests = new Map(dirs.map((dir) => [dir, readJson(join(dir, "package.json"))]));
const dirOf = new Map([...manifests].map(([dir, manifest]) => [manifest.name, dir]));

let failed = false;
for (const [dir, manifest] of manifests) {
  const declared = Object.keys(manifest.dependencies ?? {})
    .filter((name) => dirOf.has(name))
    .map((name) => String(dirOf.get(name)))
    .sort(byName)
    .join(", ");
  const references = readJson(join(dir, "tsconfig.json")).references ?? [];
  const referenced = references
    .map((reference) => relative(root, join(root, dir, reference.path)))
    .sort(byName)
    .join(", ");
  if (declared !== referenced) {
    console.error(`${dir}: dependencies are [${declared}], tsconfig references are [${referenced}]`);
    failed = true;
  }
}

for (const [dir, { name, exports }] of manifests) {
  if (exports?.["."].default?.startsWith("./lib/") !== true) continue;
  const tests = join(root, dir, "test");
  for (const file of existsSync(tests) ? readdirSync(tests, { recursive: true }).map(String) : []) {
    if (!file.endsWith(".ts")) continue;
    const imported = readFileSync(join(tests, file), "utf8").match(/from "(@[^/]+\/[^/"]+)/g) ?? [];
    if (!imported.includes(`from "${name}`)) continue;
    console.error(`${dir}/test/${file} imports ${name}: write #src/index.js`);
    failed = true;
  }
}
process.exit(failed ? 1 : 0);
