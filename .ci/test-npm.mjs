// Packs the npm packages as a release would, installs the tarballs into an empty directory elsewhere, and uses them there:
// programs, types, SQL. Only packages of others come from the registry.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startCluster, temporaryDirectory } from "../packages/testbed/dist/index.js";

const root = new URL("..", import.meta.url).pathname;
const folders = [
  ...readdirSync(join(root, "packages")).map((name) => join("packages", name)),
  "scripts",
  "sql",
];
const manifests = folders
  .filter((folder) => !folder.includes("."))
  .map((folder) => JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")));
const published = manifests.filter((manifest) => manifest.private !== true);
// `npm run` hands its own settings down, the workspaces of this checkout among them.
const inherited = /^npm_(lifecycle|package|config_(local_prefix|prefix|workspace))/;
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !inherited.test(name)));

/** What a command printed. @throws AssertionError with all of it when it fails */
function run(cwd, command, ...args) {
  const result = spawnSync(command, args, { cwd, env, encoding: "utf8", timeout: 600_000 });
  const said = `${result.stdout}${result.stderr}`;
  assert.equal(result.status, 0, `${command} ${args.join(" ")}: ${result.error?.message ?? said}`);
  return result.stdout;
}

let elsewhere;
before(async () => {
  elsewhere = await temporaryDirectory("npm");
});
after(async () => {
  await elsewhere[Symbol.asyncDispose]();
});
const consumer = () => join(elsewhere.path, "consumer");

test("the tarballs hold what a user needs, and no more", () => {
  const tarballs = join(elsewhere.path, "tarballs");
  mkdirSync(tarballs);
  const workspaces = published.flatMap(({ name }) => ["-w", name]);
  const packed = JSON.parse(
    run(root, "npm", "pack", "--json", "--pack-destination", tarballs, ...workspaces),
  );
  const files = new Map(
    Object.values(packed).map((entry) => [entry.name, entry.files.map(({ path }) => path)]),
  );
  for (const { name, bin = {}, exports = {} } of published) {
    const wanted = ["package.json", "README.md", "LICENSE", ...Object.values(bin)];
    for (const { types, default: code } of Object.values(exports)) wanted.push(types.slice(2), code.slice(2));
    for (const file of wanted) assert.ok(files.get(name)?.includes(file), `${name} lacks ${file}`);
    const surplus = files.get(name).filter((file) => /\.map$|tsbuildinfo|^src\/|test\//.test(file));
    assert.deepEqual(surplus, [], name);
  }
  for (const module of ["pgq", "pgq_node", "londiste"]) {
    assert.ok(files.get("@skytools/sql").includes(`dist/${module}.sql`), module);
  }
});

test("they install into an empty directory, with nothing of the checkout", () => {
  mkdirSync(consumer());
  writeFileSync(join(consumer(), "package.json"), '{ "private": true, "type": "module" }\n');
  const tarballs = readdirSync(join(elsewhere.path, "tarballs")).map((file) => join("../tarballs", file));
  assert.equal(tarballs.length, published.length);
  run(
    consumer(),
    "npm",
    "install",
    "--no-audit",
    "--no-fund",
    "--prefer-offline",
    "--fetch-retries=5",
    ...tarballs,
  );
  // What is left of the tarballs are their copies.
  rmSync(join(elsewhere.path, "tarballs"), { recursive: true });
  assert.equal(run(consumer(), "npm", "ls", "--all", "--parseable").includes(root), false);
});

test("every program answers, three of them to npx", () => {
  for (const { bin = {} } of published) {
    for (const name of Object.keys(bin)) {
      assert.match(run(consumer(), join("node_modules/.bin", name), "--version"), /\d+\.\d+/, name);
    }
  }
  assert.match(run(consumer(), "npx", "--no-install", "londiste3", "--help"), /add-table/);
  assert.match(run(consumer(), "npx", "--no-install", "pgqd", "--version"), /\d+\.\d+/);
});

test("a TypeScript program compiles against their types, and pgqadm installs the SQL that it uses", async () => {
  writeFileSync(join(consumer(), "program.ts"), program);
  const compilerOptions = {
    target: "es2023",
    lib: ["es2023", "esnext.disposable"],
    module: "nodenext",
    strict: true,
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
  };
  writeFileSync(
    join(consumer(), "tsconfig.json"),
    JSON.stringify({ compilerOptions, files: ["program.ts"] }),
  );
  run(consumer(), join(root, "node_modules/.bin/tsc"), "--project", ".");

  const cluster = await startCluster();
  after(() => cluster[Symbol.asyncDispose]());
  const connstr = `host=${cluster.socketDir} port=${cluster.port} user=postgres dbname=postgres`;
  writeFileSync(join(consumer(), "db.ini"), `[pgqadm]\ndb = ${connstr}\nlogfile =\npidfile =\n`);
  run(consumer(), "npx", "--no-install", "pgqadm", "db.ini", "install");
  run(consumer(), "npx", "--no-install", "pgqadm", "db.ini", "create", "q");
  run(consumer(), "npx", "--no-install", "pgqadm", "db.ini", "register", "q", "c");
  assert.equal(run(consumer(), "node", "program.js", connstr), "hello\n");
});

const program = `import { batches, forceTick, insertEvent, tickAll } from "@skytools/pgq";
import type { CascadedApplication } from "@skytools/pgq/cascade";
import { Database } from "@skytools/skytools";

export type Application = CascadedApplication;
await using db = await Database.open(process.argv[2]!);
await insertEvent(db, "q", { type: "greeting", data: "hello" });
await db.commit();
await forceTick(db, "q");
await tickAll(db);
await db.commit();
reading: for await (const batch of batches(db, "q", "c", { idleMs: 20 })) {
  for await (const event of batch.events()) {
    const data: string | null = event.data;
    console.log(data);
    break reading;
  }
}
`;
