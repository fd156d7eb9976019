import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { temporaryDirectory } from "@skytools/testbed";
import { Config, ConfigError, type ConfigGroup, databaseConfig, frameworkConfig } from "#src/index.js";
import { planLog } from "#src/log/log-setup.js";

const program: ConfigGroup = {
  title: "program",
  keys: [
    { key: "queue", type: "string", required: true, doc: "queue to read" },
    { key: "db", type: "connstr", doc: "database" },
    { key: "buffer", type: "bytes", min: 1024, max: 4096, doc: "size" },
    { key: "mode", type: "choice", choices: ["copy", "merge"], doc: "mode" },
    { key: "fast", type: "boolean", doc: "speed" },
    { key: "period", type: "interval", doc: "time" },
  ],
};
const groups = [program, databaseConfig, frameworkConfig];

const directory = await temporaryDirectory("mistakes");
after(() => directory[Symbol.asyncDispose]());
const file = `${directory.path}/f.ini`;

interface Mistake {
  /** the file; a key `queue` in front unless it has a section of its own */
  readonly text: string | Buffer;
  readonly overrides?: Readonly<Record<string, string>>;
}

/** What a start says about a file: loading, checking, setting up the log. */
function complaints({ text, overrides = {} }: Mistake): string[] {
  const isWhole = typeof text !== "string" || /^\[|^[^[]*\n\[/.test(text) || !text.includes("=");
  writeFileSync(file, isWhole ? text : `[s]\nqueue = q\n${text}`);
  try {
    const config = Config.load(file, "s", { groups, overrides });
    const { errors, suspicions } = config.findings();
    const found = [...errors, ...suspicions];
    if (found.length === 0) {
      planLog(config, { level: "info", console: { write: () => {} }, isDaemon: true, env: {} }).open();
    }
    return found.map((error) => shown(error));
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return [shown(error)];
  }
}

function shown({ message }: ConfigError): string {
  return message.replaceAll(`${directory.path}/`, "");
}

mkdirSync(`${directory.path}/folder.log`);

/** Each mistake, and the line that names file, line, section and key as far as there are such. */
const mistakes: readonly (readonly [what: string, text: string | Buffer, expected: string, set?: string])[] =
  [
    // the file
    [
      "bytes that are not UTF-8",
      Buffer.from("[s]\nqueue = \xff\n", "latin1"),
      "f.ini:2: the file is not valid UTF-8",
    ],
    [
      "a value before the first section",
      "x = 1\n[s]\n",
      "f.ini:1: a value stands before the first [section]",
    ],
    [
      "a line that is nothing",
      "[s]\nqueue\n",
      "f.ini:2: the line is neither a [section] nor of the form key = value",
    ],
    ["a delimiter without key", "[s]\n = 1\n", "f.ini:2: a key is missing before the delimiter"],
    ["a section twice", "[s]\n[t]\n[s]\n", "f.ini:3: section [s] appears twice"],
    ["a key twice", "x = 1\nqueue = r\n", "f.ini:4: [s] queue: is set twice, first on line 2"],
    ["another program's file", "[t]\nqueue = q\n", "f.ini: [s]: no section [s]"],
    ["an unknown format", "config_format = 3\n", 'f.ini:3: [s] config_format: unsupported config format "3"'],
    // references
    [
      "a lone percent sign",
      "[s]\nqueue = 50%\n",
      'f.ini:2: [s] queue: has a "%" that is neither "%%" nor a reference %(key)s',
    ],
    [
      "a reference to nothing",
      "[s]\nqueue = %(nothing)s\n",
      'f.ini:2: [s] queue: refers to "nothing", which is not set',
    ],
    [
      "references in a circle",
      "[s]\nqueue = %(a)s\na = %(queue)s\n",
      "f.ini:2: [s] queue: refers to other values more than 10 levels deep",
    ],
    [
      "a lone dollar sign",
      "[s]\nconfig_format = 2\nqueue = $x\n",
      `f.ini:3: [s] queue: has a "$" that is neither "$$" nor a reference \${key}`,
    ],
    [
      "two colons in a reference",
      `[s]\nconfig_format = 2\nqueue = \${a:b:c}\n`,
      'f.ini:3: [s] queue: refers to "a:b:c", which has more than one ":"',
    ],
    // values
    ["a missing key", "[s]\n", "f.ini: [s] queue: required key is not set"],
    ["an empty key", "[s]\nqueue =\n", "f.ini:2: [s] queue: required key is not set"],
    ["a whole number", "log_size = 1.5\n", 'f.ini:3: [s] log_size: "1.5" is not a whole number'],
    ["a number", "loop_delay = often\n", 'f.ini:3: [s] loop_delay: "often" is not a number'],
    ["a number below its range", "exception_sleep = -1\n", "f.ini:3: [s] exception_sleep: -1 is less than 0"],
    [
      "a boolean",
      "fast = maybe\n",
      'f.ini:3: [s] fast: "maybe" is not a boolean (1, yes, true, on, 0, no, false, off)',
    ],
    ["a choice", "mode = move\n", 'f.ini:3: [s] mode: "move" is not one of copy, merge'],
    [
      "a size",
      "buffer = 1 XB\n",
      'f.ini:3: [s] buffer: "1 XB" is not a size in bytes, such as 512, 64K or 10MB',
    ],
    ["a size above its range", "buffer = 1M\n", "f.ini:3: [s] buffer: 1048576 is more than 4096"],
    [
      "an interval",
      "period = soon\n",
      'f.ini:3: [s] period: "soon" is not an interval, such as 30 seconds, 2 hours or 1:30:00',
    ],
    [
      "a unit of an interval",
      "period = 3 lightyears\n",
      'f.ini:3: [s] period: "3 lightyears" is not an interval, such as 30 seconds, 2 hours or 1:30:00',
    ],
    // connect strings
    ["an unknown connect option", "db = hots=x\n", 'f.ini:3: [s] db: invalid connection option "hots"'],
    [
      "a connect option without value",
      "db = dbname=x host\n",
      'f.ini:3: [s] db: missing "=" after "host" in connect string',
    ],
    [
      "a quote without end",
      "db = dbname='x\n",
      "f.ini:3: [s] db: unterminated quoted string in connect string",
    ],
    [
      "an addition to connect strings",
      "remote_extra_connstr = hots=x\n",
      'f.ini:3: [s] remote_extra_connstr: invalid connection option "hots"',
    ],
    // the log
    [
      "a placeholder of the log",
      "logfmt_file = %%(nope)s\n",
      'f.ini:3: [s] logfmt_file: has the unknown placeholder "nope"; known are asctime, created, msecs, levelname, levelno, message, name, process, job_name, service_name, hostname, hostaddr',
    ],
    [
      "a percent sign of the log",
      "logfmt_console = 5%%\n",
      'f.ini:3: [s] logfmt_console: has a "%" that belongs to no placeholder such as %(message)s',
    ],
    [
      "a log file without directory",
      "logfile = /nowhere/x.log\n",
      "f.ini:3: [s] logfile: cannot open /nowhere/x.log for writing (ENOENT)",
    ],
    [
      "skylog without its file",
      "use_skylog = 2\nskylog_locations = /nowhere/skylog.ini\n",
      "f.ini:3: [s] use_skylog: none of these files exists: /nowhere/skylog.ini",
    ],
    // overrides
    ["an override", "x = 1\n", 'f.ini: [s] loop_delay: "often" is not a number (given with --set)', "often"],
    [
      "a percent sign of an override",
      "x = 1\n",
      'f.ini: [s] loop_delay: has a "%" that is neither "%%" nor a reference %(key)s (given with --set)',
      "5%",
    ],
    // what may be a mistake: an error for --check
    ["an unknown key", "lop_delay = 1\n", "f.ini:3: [s] lop_delay: unknown key, perhaps loop_delay is meant"],
    [
      "a comment behind a value",
      "[s]\nqueue = q ; all\n",
      'f.ini:2: [s] queue: the text after " ;" is part of the value: comments need lines of their own',
    ],
  ];

for (const [what, text, expected, loopDelay] of mistakes) {
  test(`a mistake in ${what} is one line with its place`, () => {
    const overrides = loopDelay === undefined ? {} : { loop_delay: loopDelay };
    const found = complaints({ text: loopDelay === undefined ? text : "fast = 1\n", overrides });
    assert.deepEqual(found, [expected]);
    assert.doesNotMatch(expected, /\n/);
  });
}

test("a file that is not there, or cannot be read", () => {
  const load = (path: string) => () => Config.load(path, "s", { groups });
  assert.throws(load("/nowhere/f.ini"), { message: "Config file not found: /nowhere/f.ini" });
  assert.throws(load(directory.path), { message: `cannot read ${directory.path} (EISDIR)` });
});

test("every mistake of a file is told at once, and the same again at a reload, which keeps the old values", () => {
  writeFileSync(file, "[s]\nqueue = q\nloop_delay = 5\n");
  const config = Config.load(file, "s", { groups });
  writeFileSync(file, "[s]\nqueue =\nloop_delay = x\nfast = y\n");
  assert.equal(Config.load(file, "s", { groups }).findings().errors.length, 3);
  assert.throws(() => config.reload(), ConfigError);
  assert.equal(config.getFloat("loop_delay"), 5);
});

for (const text of [
  "30",
  "1.5 hours",
  "2 days 3:04:05",
  "@ 1 minute ago",
  "P1DT2H",
  "PT30S",
  "-1 mon 5d",
  "1h30m",
  "00:00:01.5",
]) {
  test(`${text} is an interval`, () => assert.deepEqual(complaints({ text: `period = ${text}\n` }), []));
}
