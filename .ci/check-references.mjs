// Every package's tsconfig references are exactly its @skytools dependencies: arrows point one way only.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const dirs = [
  ...readdirSync(join(root, "packages"))
    .filter((name) => !name.includes("."))
    .map((name) => join("packages", name)),
  "sql",
];
const manifests = new Map(
  dirs.map((dir) => [dir, JSON.parse(readFileSync(join(root, dir, "package.json"), "utf8"))]),
);
const dirOf = new Map([...manifests].map(([dir, manifest]) => [manifest.name, dir]));

let failed = false;
for (const [dir, manifest] of manifests) {
  const declared = Object.keys(manifest.dependencies ?? {})
    .filter((name) => dirOf.has(name))
    .map((name) => dirOf.get(name))
    .sort();
  const tsconfig = JSON.parse(readFileSync(join(root, dir, "tsconfig.json"), "utf8"));
  const referenced = (tsconfig.references ?? [])
    .map((ref) => relative(root, join(root, dir, ref.path)))
    .sort();
  if (declared.join() !== referenced.join()) {
    console.error(`${dir}: dependencies are [${declared}], tsconfig references are [${referenced}]`);
    failed = true;
  }
}
process.exit(failed ? 1 : 0);
