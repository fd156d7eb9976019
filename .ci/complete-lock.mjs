// npm leaves packages of other platforms out of package-lock.json when the registry in use does not hold them, and then
// `npm ci` refuses the file everywhere. Adds an entry for each optional dependency that has none.
//   node .ci/complete-lock.mjs            after `npm install`
//   node .ci/complete-lock.mjs --check    exit 1 when something is missing
import { readFileSync, writeFileSync } from "node:fs";

const file = new URL("../package-lock.json", import.meta.url);
const systems = new Map(
  ["darwin", "linux", "win32", "android", "freebsd", "openbsd", "netbsd", "sunos", "aix", "openharmony"]
    .map((name) => [name, name])
    .concat([["windows", "win32"]]),
);
const processors = new Map(
  ["arm64", "x64", "arm", "ia32", "ppc64", "s390x", "riscv64", "loong64", "mips64el"]
    .map((name) => [name, name])
    .concat([
      ["x86", "ia32"],
      ["ppc64le", "ppc64"],
      ["armv7", "arm"],
    ]),
);

/** What the name of a platform package says about the platform; undefined for other optional packages. */
function platformOf(name) {
  const words = name.split(/[/-]/);
  const os = words.flatMap((word) => systems.get(word) ?? []);
  const cpu = words.flatMap((word) => processors.get(word) ?? []);
  return os.length === 1 && cpu.length === 1 ? { os, cpu } : undefined;
}

const lock = JSON.parse(readFileSync(file, "utf8"));
const packages = new Map(Object.entries(lock.packages));
const missing = [];
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`;
    const platform = platformOf(name);
    if (packages.has(path) || platform === undefined) continue;
    missing.push(`${name}@${version}`);
    packages.set(path, {
      version,
      cpu: platform.cpu,
      ...(entry.dev ? { dev: true } : {}),
      license: entry.license,
      optional: true,
      os: platform.os,
    });
  }
}

if (process.argv.includes("--check")) {
  for (const name of missing) console.error(`package-lock.json has no entry for ${name}`);
  process.exit(missing.length > 0 ? 1 : 0);
}
const byPath = ([a], [b]) => a.localeCompare(b, "en");
lock.packages = Object.fromEntries([...packages].sort(byPath));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${missing.length} entries added`);
