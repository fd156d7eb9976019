import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { ConfigError } from "@skytools/skytools";
import { temporaryDirectory } from "@skytools/testbed";
import { sampleFile, settingTable } from "#src/setting-table.js";
import { loadSettings, type Settings } from "#src/settings.js";

async function load(
  text: string,
  included: Readonly<Record<string, string>> = {},
  old?: Settings,
): Promise<Settings> {
  const directory = await temporaryDirectory("pgqd");
  const file = join(directory.path, "pgqd.ini");
  writeFileSync(file, text);
  for (const [name, content] of Object.entries(included)) writeFileSync(join(directory.path, name), content);
  try {
    return loadSettings(file, old);
  } finally {
    await directory[Symbol.asyncDispose]();
  }
}

describe("settings of pgqd", () => {
  it("have the documented defaults", async () => {
    const { file, ...settings } = await load("[pgqd]\n");
    assert.equal(dirname(file) === "", false);
    assert.deepEqual(settings, {
      logfile: "",
      pidfile: "",
      baseConnstr: "",
      initialDatabase: "template1",
      databaseList: [],
      isSyslogOn: true,
      syslogIdent: "pgqd",
      syslogFacility: "daemon",
      checkPeriodMs: 60_000,
      retryPeriodMs: 30_000,
      maintPeriodMs: 120_000,
      tickerPeriodMs: 1000,
      statsPeriodMs: 30_000,
      connectionLifetimeMs: 3_600_000,
      stallPeriodMs: 60_000,
      httpListen: undefined,
      metricsPeriodMs: 30_000,
      unhealthyPeriodMs: 60_000,
    });
  });

  it("are read to the end of the line, without quotes, comments or interpolation", async () => {
    const settings = await load(
      "; comment\n[pgqd]\n# another\nbase_connstr = host=/s password='50%(x)s # no' \nticker_period=.25\ndatabase_list= a, b ,c\nlogfile = ~/x.log\n",
    );
    assert.equal(settings.baseConnstr, "host=/s password='50%(x)s # no'");
    assert.equal(settings.tickerPeriodMs, 250);
    assert.deepEqual(settings.databaseList, ["a", "b", "c"]);
    assert.equal(settings.logfile, `${homedir()}/x.log`);
  });

  it("may come from an included file", async () => {
    const settings = await load("[pgqd]\n%include more.ini\n", { "more.ini": "maint_period = 7\n" });
    assert.equal(settings.maintPeriodMs, 7000);
  });

  it("name the included file when the mistake is there", async () => {
    await assert.rejects(load("[pgqd]\n%include more.ini\n", { "more.ini": "\nnonsense = 1\n" }), (error) => {
      return (
        error instanceof ConfigError && /more\.ini:2: \[pgqd\] nonsense: unknown key/.test(error.message)
      );
    });
  });

  it("take whole numbers as C writes them", async () => {
    assert.equal((await load("[pgqd]\nsyslog = 0x0\n")).isSyslogOn, false);
    assert.equal((await load("[pgqd]\nsyslog = 0x1\n")).isSyslogOn, true);
  });

  it("keep files and the list at a reload that does not mention them, and give them up for an empty value", async () => {
    const old = await load("[pgqd]\nlogfile = /l\npidfile = /p\ndatabase_list = a,b\nmaint_period = 7\n");
    const { logfile, pidfile, databaseList, maintPeriodMs } = await load("[pgqd]\n", {}, old);
    assert.deepEqual([logfile, pidfile, databaseList, maintPeriodMs], ["/l", "/p", ["a", "b"], 120_000]);
    const empty = await load("[pgqd]\nlogfile =\ndatabase_list =\n", {}, old);
    assert.deepEqual([empty.logfile, empty.databaseList, empty.pidfile], ["", [], "/p"]);
  });

  it("are what the sample file says, which has every key", async () => {
    const uncommented = sampleFile().replaceAll(/^#(?! )/gm, "");
    const settings = await load(uncommented);
    assert.equal(settings.logfile, `${homedir()}/log/pgqd.log`);
    assert.equal(settings.initialDatabase, "template1");
    for (const { key } of settingTable) assert.match(sampleFile(), new RegExp(`^#?${key} =`, "m"));
  });

  const mistakes: [string, string, RegExp][] = [
    ["an unknown key", "[pgqd]\nticker_perod = 1\n", /pgqd\.ini:2: \[pgqd\] ticker_perod: unknown key/],
    ["an unknown section", "[pgqd]\n[other]\n", /pgqd\.ini:2: unknown section \[other\]/],
    ["no section", "\n", /pgqd\.ini: section \[pgqd\] is missing/],
    [
      "a key before the section",
      "logfile = x\n[pgqd]\n",
      /pgqd\.ini:1: a value stands before section \[pgqd\]/,
    ],
    ["no equals sign", "[pgqd]\nsyslog: 0\n", /pgqd\.ini:2: "syslog: 0" is not of the form key = value/],
    [
      "a period that is no number",
      "[pgqd]\n\nmaint_period = 2min\n",
      /pgqd\.ini:3: \[pgqd\] maint_period: "2min" is not a number of seconds/,
    ],
    ["a negative period", "[pgqd]\nretry_period = -1\n", /retry_period: "-1" is not a number of seconds/],
    [
      "a period of nothing",
      "[pgqd]\nticker_period = 0\n",
      /ticker_period: a period of 0 seconds is not possible/,
    ],
    ["an unknown facility", "[pgqd]\nsyslog_facility = mail\n", /"mail" is not a syslog facility/],
    [
      "a connect string with an unknown key",
      "[pgqd]\nbase_connstr = hots=db1\n",
      /pgqd\.ini:2: \[pgqd\] base_connstr: invalid connection option "hots"/,
    ],
    [
      "a URL for an address",
      "[pgqd]\nhttp_listen = http://x/\n",
      /:2: \[pgqd\] http_listen: "http:\/\/x\/" is not an address to listen on/,
    ],
    ["a port that does not exist", "[pgqd]\nhttp_listen = 70000\n", /http_listen: "70000" is not an address/],
    ["a flag that is no number", "[pgqd]\nsyslog = yes\n", /:2: \[pgqd\] syslog: "yes" is neither 0 nor 1/],
    [
      "a period without end",
      "[pgqd]\ncheck_period = 9999999\n",
      /check_period: "9999999" seconds are more than a timer can count/,
    ],
    ["a line that continues another", "[pgqd]\nlogfile = a\n  b\n", /:3: "b" is not of the form key = value/],
    ["a key in other case", "[pgqd]\nLogfile = a\n", /:2: \[pgqd\] Logfile: unknown key/],
    ["a key of the framework", "[pgqd]\njob_name = x\n", /:2: \[pgqd\] job_name: unknown key/],
    ["a value without a key", "[pgqd]\n= 5\n", /:2: "= 5" is not of the form key = value/],
    ["an include of itself", "[pgqd]\n%include pgqd.ini\n", /%include nested deeper than 10 files/],
    [
      "files that include each other without end",
      `[pgqd]\n${"%include pgqd.ini\n".repeat(20)}`,
      /%include nested deeper|the files that are included have no end/,
    ],
    [
      "a line that is not UTF-8",
      "[pgqd]\n# \uFFFD\nbase_connstr = password=\uFFFD\n",
      /pgqd\.ini:3: the line is not valid UTF-8/,
    ],
    ["an include of nothing", "[pgqd]\n%include gone.ini\n", /gone\.ini: cannot read the file \(ENOENT\)/],
  ];
  for (const [what, text, message] of mistakes) {
    it(`refuse ${what} in one line that names the place`, async () => {
      await assert.rejects(load(text), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    });
  }

  it("suggest the key that was probably meant", async () => {
    await assert.rejects(load("[pgqd]\nticker_perod = 1\n"), (error) => {
      return error instanceof ConfigError && error.hint === "Perhaps ticker_period is meant.";
    });
  });
});
