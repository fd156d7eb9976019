import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type TemporaryDirectory, temporaryDirectory } from "@skytools/testbed";
import { type Built, buildDocumentation } from "#src/build.js";
import { tellsErrors } from "#src/function-comment.js";
import { brokenLinks } from "#src/link-check.js";
import { describeInstalled, installedPrograms } from "#src/programs.js";
import { moduleFunctions } from "#src/sql-functions.js";
import { sqlModules } from "#src/sql-reference.js";
import { describeInBrowser } from "./in-browser.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));

describe("the documentation", () => {
  let directory: TemporaryDirectory;
  let built: Built;

  before(async () => {
    directory = await temporaryDirectory("docs");
    built = await buildDocumentation(root, directory.path, false);
  });
  after(async () => {
    await directory[Symbol.asyncDispose]();
  });

  it("has no dead link", () => {
    assert.deepEqual(
      built.brokenLinks.filter((link) => !link.endsWith("api/index.html")),
      [],
    );
  });

  describeInBrowser(() => join(directory.path, "html"));

  it("has a manual page for every name of every program", () => {
    for (const { name, aliases } of installedPrograms(root)) {
      for (const each of [name, ...aliases])
        assert.ok(existsSync(join(directory.path, "man", "man1", `${each}.1`)), each);
    }
  });

  it("tells every key and command of a program", async () => {
    const program = installedPrograms(root).find(({ name }) => name === "londiste3")!;
    const { commands = [], config } = await describeInstalled(program);
    const page = readFileSync(join(directory.path, "man", "man1", "londiste3.1"), "utf8");
    for (const word of [...commands, ...config.flatMap(({ keys }) => keys)].map((each) =>
      "key" in each ? each.key : each.name,
    )) {
      assert.ok(page.includes(`\\fB${word.replaceAll("-", "\\-")}\\fP`), word);
    }
  });

  it("says in one plain line what a program is for", async () => {
    for (const program of installedPrograms(root)) {
      const { summary } = await describeInstalled(program);
      const page = readFileSync(join(directory.path, "man", "man1", `${program.name}.1`), "utf8");
      const [, line] = /^\.SH "NAME"\n(.*)$/m.exec(page)!;
      assert.equal(line!.replaceAll("\\", ""), `${program.name} - ${summary}`);
    }
  });

  it("tells every key of every program on one page", async () => {
    const page = readFileSync(join(directory.path, "html", "reference", "config.html"), "utf8");
    const described = await Promise.all(installedPrograms(root).map(describeInstalled));
    const keys = described.flatMap(({ config }) => config.flatMap((group) => group.keys));
    assert.ok(keys.length > 100);
    assert.deepEqual(
      keys.filter(({ key }) => !page.includes(`id="key-${key}"`)),
      [],
    );
  });

  it("tells every server function that the modules install", () => {
    for (const { name: module } of sqlModules(root)) {
      const page = readFileSync(join(directory.path, "html", "reference", `sql-${module}.html`), "utf8");
      const installed = readFileSync(join(root, "sql", "dist", `${module}.sql`), "utf8");
      const missing = [...installed.matchAll(/^create (?:or replace )?function\s+(\w+)\.(\w+)\s*\(/gim)]
        // Helpers, and the version function that every module has, which the page of all modules tells.
        .filter(([, , name]) => !name!.startsWith("_") && name !== "version")
        .filter(([, schema, name]) => !page.includes(`id="${schema}-${name}"`));
      assert.deepEqual(
        missing.map(([whole]) => whole),
        [],
      );
    }
  });

  it("has manual pages that render without a warning", { skip: !hasProgram("man") }, () => {
    const folder = join(directory.path, "man");
    for (const file of readdirSync(join(folder, "man1"))) {
      const stderr = execFileSync(
        "sh",
        ["-c", 'man --warnings -E UTF-8 -l -Tutf8 -Z "$0" 2>&1 >/dev/null', `man1/${file}`],
        {
          cwd: folder,
          encoding: "utf8",
          env: { ...process.env, MANROFFSEQ: "t", LANG: "C.UTF-8" },
        },
      );
      assert.equal(stderr, "", file);
    }
  });
});

it("notices links that lead nowhere", async () => {
  await using directory = await temporaryDirectory("links");
  mkdirSync(join(directory.path, "a"));
  writeFileSync(
    join(directory.path, "a", "x.html"),
    '<p id="here"><a href="../y.html#there"></a><a href="#here"></a><a href="z.html"></a><a href="#gone"></a>',
  );
  writeFileSync(join(directory.path, "y.html"), '<p id="there"><img src="a/none.svg"></p>');
  assert.deepEqual(brokenLinks(directory.path).sort(), [
    "a/x.html: #gone",
    "a/x.html: z.html",
    "y.html: a/none.svg",
  ]);
});

it("reads comment, signature and grant of a server function, with all its overloads", () => {
  const [long, short] = moduleFunctions(join(root, "sql"), "pgq").filter(
    ({ name }) => name === "insert_event",
  );
  assert.equal(short?.parameters, "queue_name text, ev_type text, ev_data text");
  assert.equal(short?.execute, long?.execute);
  assert.equal(long?.execute, "pgq_writer");
  assert.equal(long?.result, "bigint");
  assert.match(long?.comment[0] ?? "", /^Adds an event/);
});

const modules = sqlModules(root).map(({ name }) => moduleFunctions(join(root, "sql"), name));

it("has a comment for every public server function", () => {
  const silent = modules
    .flat()
    // A further overload says something only where it differs.
    .filter(({ name }, at, all) => name !== all[at - 1]?.name)
    .filter(({ comment }) => comment.length === 0);
  assert.deepEqual(
    silent.map(({ schema, name }) => `${schema}.${name}`),
    [],
  );
});

it("tells the errors of every server function that raises some", () => {
  const silent = modules.flat().filter(({ raises, comment }) => raises && !tellsErrors(comment));
  assert.deepEqual(
    silent.map(({ file }) => file),
    [],
  );
});

function hasProgram(name: string): boolean {
  return (process.env.PATH ?? "").split(":").some((folder) => existsSync(join(folder, name)));
}
