import assert from "node:assert/strict";
import { test } from "node:test";
import { configTemplate } from "#src/config/template.js";
import { Config, type ConfigGroup, databaseConfig, frameworkConfig } from "#src/index.js";

const groups: readonly ConfigGroup[] = [
  {
    title: "mover",
    keys: [
      {
        key: "src_db",
        type: "connstr",
        required: true,
        example: "dbname=src",
        doc: "source",
      },
      { key: "dst_db", type: "connstr", template: "live", doc: "target" },
      { key: "mode", type: "choice", choices: ["a", "b"], default: "a", doc: "how" },
      { key: "secret_knob", type: "int", default: "1", template: "hidden", doc: "not shown" },
    ],
  },
  { title: "nothing to show", keys: [{ key: "x", type: "int", template: "hidden", doc: "not shown" }] },
  { title: "base", keys: [{ key: "mode", type: "string", doc: "shadowed" }] },
];

test("the sample has headings, explanations, live and commented keys in order", () => {
  assert.equal(
    configTemplate("mover3", groups, {}),
    `[mover3]

## Parameters for mover

# source; required
src_db = dbname=src

# target
dst_db =

# how; one of a, b
#mode = a
`,
  );
});

test("overrides follow the old line, which stays as a comment if it had a value", () => {
  const text = configTemplate("mover3", groups, {
    src_db: "dbname=x",
    dst_db: "dbname=y",
    mode: "b",
    z: "1",
  });
  assert.match(text, /\n#src_db = dbname=src\nsrc_db = dbname=x\n/);
  assert.match(text, /# target\ndst_db = dbname=y\n/);
  assert.match(text, /\n#mode = a\nmode = b\n/);
  assert.doesNotMatch(text, /z = 1/);
});

test("the framework's part has the keys of Skytools in their order", () => {
  const text = configTemplate("s", [databaseConfig, frameworkConfig], {});
  const lines = text.split("\n").filter((line) => /^#?\w+ =/.test(line));
  assert.deepEqual(lines, [
    "#connection_lifetime = 1200",
    "loop_delay = 1.0",
    "logfile = ~/log/%(job_name)s.log",
    "pidfile = ~/pid/%(job_name)s.pid",
    "#job_name =",
    "#use_skylog = 0",
    "#skylog_locations = skylog.ini, ~/.skylog.ini, /etc/skylog.ini",
    "#exception_sleep = 20",
  ]);
});

test("the sample is itself a good configuration", () => {
  const all = [...groups, databaseConfig, frameworkConfig];
  const config = Config.parse(configTemplate("s", all, {}), "s", { file: "job.ini", groups: all });
  assert.deepEqual(config.findings(), { errors: [], suspicions: [] });
  assert.equal(config.get("logfile"), "~/log/job.log");
});
