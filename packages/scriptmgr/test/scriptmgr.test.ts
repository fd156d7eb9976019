import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { runProgram, startProgram, temporaryDirectory, waitFor } from "@skytools/testbed";

const daemon = new URL("fixture/daemon.js", import.meta.url).pathname;
const directory = await temporaryDirectory("scriptmgr");
after(() => directory[Symbol.asyncDispose]());
const path = (name: string) => `${directory.path}/${name}`;
chmodSync(directory.path, 0o755);
mkdirSync(path("run"));
chmodSync(path("run"), 0o777);
mkdirSync(path("jobs"));

/** Another user can be tried by root, if that user can read the program. */
const canSwitch =
  process.getuid?.() === 0 && spawnSync("runuser", ["-u", "nobody", "--", "test", "-r", daemon]).status === 0;

writeFileSync(
  path("scriptmgr.ini"),
  `[DEFAULT]
cwd = ${directory.path}
[scriptmgr]
config_list = ${directory.path}/jobs/*.ini, ${directory.path}/scriptmgr.ini
pidfile = ${directory.path}/scriptmgr.pid
[daemon]
script = '${process.execPath}' ${daemon}
[guarded]
script = ${process.execPath} ${daemon}
${canSwitch ? "user = nobody\n" : ""}[retired]
disabled = 1
`,
);

const settings =
  "loop_delay = 0.1\nexception_sleep = 0.1\npidfile = run/%(job_name)s.pid\nlogfile = run/%(job_name)s.log\n";

function writeJob(name: string, more = "", section = "daemon"): void {
  writeFileSync(path(`jobs/${name}.ini`), `[${section}]\n${settings}${more}`);
}

for (const name of ["good1", "good2", "good3"]) writeJob(name);
writeJob("crash", "behaviour = crash\n");
writeJob("hang", "behaviour = hang\n");
writeJob("fail", "behaviour = fail\n");
writeJob("off", "disabled = 1\n");
writeJob("other", "", "guarded");
writeFileSync(path("jobs/nopid.ini"), "[daemon]\n");
writeFileSync(path("jobs/broken.ini"), "[daemon]\nthis is no line\n");
writeFileSync(path("jobs/stranger.ini"), "[somebody]\nx = 1\n");

const scriptmgr = (...args: string[]) => runProgram("scriptmgr3", [path("scriptmgr.ini"), ...args]);
const pidOf = (name: string) => Number(readFileSync(path(`run/${name}.pid`), "utf8"));
const isAlive = (name: string) => existsSync(path(`run/${name}.pid`));

interface Status {
  readonly job: string;
  readonly state: string;
  readonly health: string;
  readonly pid?: number;
  readonly user?: string;
  readonly uptimeSeconds?: number;
  readonly lastError?: string;
}

async function statuses(): Promise<Map<string, Status>> {
  const { stdout } = await scriptmgr("status", "--json");
  const { jobs } = JSON.parse(stdout) as { jobs: Status[] };
  return new Map(jobs.map((status) => [status.job, status]));
}

test("start -a starts what it can, in spite of a job that crashes and a file that is broken, and says so", async () => {
  const { code, stderr, stdout } = await scriptmgr("start", "-a", "-w");
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(
    stderr,
    /ERROR \S+\/jobs\/broken\.ini:2: the line is neither a \[section\] nor of the form key = value\n/,
  );
  assert.match(stderr, /ERROR crash failed with exit code 1: .*Job crash crashed: no queue here/);
  assert.match(stderr, /WARNING \S+\/jobs\/stranger\.ini: no section of a known service, ignored\n/);
  assert.match(stderr, /WARNING nopid has no pidfile configured, not started\n/);
  assert.match(stderr, /INFO Skipping off, it is disabled\n/);
  for (const name of ["good1", "good2", "good3", "hang", "fail", "other"]) assert.ok(isAlive(name), name);
});

test("status: states, pid, uptime, user, health and the last error; exit code 1 for what does not run", async () => {
  await waitFor(
    "the failing job to be seen",
    async () => (await statuses()).get("fail")?.health === "failing",
  );
  await waitFor("the good jobs to be seen", async () => {
    const seen = await statuses();
    return ["good1", "good2", "good3", "hang", "other"].every((name) => seen.get(name)?.health === "ok");
  });
  const found = await statuses();
  assert.deepEqual(
    [...found.values()].map(({ job, state, health }) => [job, state, health]),
    [
      ["crash", "STOPPED", "stopped"],
      ["fail", "OK", "failing"],
      ["good1", "OK", "ok"],
      ["good2", "OK", "ok"],
      ["good3", "OK", "ok"],
      ["hang", "OK", "ok"],
      ["nopid", "pidfile?", "unknown"],
      ["off", "STOPPED", "stopped"],
      ["other", "OK", "ok"],
    ],
  );
  assert.equal(found.get("good1")?.pid, pidOf("good1"));
  assert.ok(Number(found.get("good1")?.uptimeSeconds) < 600);
  assert.match(found.get("fail")?.lastError ?? "", /ERROR Job fail crashed: always broken$/);
  if (canSwitch) assert.equal(found.get("other")?.user, "nobody");
  const { code, stdout, stderr } = await scriptmgr("status");
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^ STOPPED {2}\[daemon\] crash\n OK {7}\[daemon\] fail {2}pid \d+, up .*, user \w+, failing: /,
  );
  assert.match(stdout, /\n pidfile\? \[daemon\] nopid\n STOPPED {2}\[daemon\] off {2}\(disabled\)\n/);
  assert.match(stderr, /ERROR 1 of 9 jobs do not run: crash\n/);
  assert.equal((await scriptmgr("status", "good1", "off")).code, 0);
  assert.equal((await scriptmgr("status", "nobody-knows")).code, 1);
});

test("starting again changes nothing", async () => {
  const before = pidOf("good1");
  const { code, stderr } = await scriptmgr("start", "good1");
  assert.equal(code, 0);
  assert.match(stderr, new RegExp(`WARNING good1 is running already \\(pid ${before}\\)\n`));
  assert.equal(pidOf("good1"), before);
});

test("reload reaches jobs, and only them; another user's too", async () => {
  const { code } = await scriptmgr("reload", "good1", "other");
  assert.equal(code, 0);
  const logOf = (name: string) => readFileSync(path(`run/${name}.log`), "utf8");
  await waitFor("both to reload", () =>
    ["good1", "other"].every((name) => logOf(name).includes("Config reloaded")),
  );
  assert.doesNotMatch(logOf("good2"), /Config reloaded/);
});

test("a dry run says what it would do", async () => {
  const { code, stderr } = await scriptmgr("restart", "-t", "daemon", "--dry-run");
  assert.equal(code, 1);
  assert.match(stderr, /INFO Stopping good2 \(pid \d+\)\n/);
  assert.match(stderr, /ERROR \S+broken\.ini/);
  assert.equal(isAlive("good2"), true);
});

test("restart waits for the end of each job and starts it anew", async () => {
  const before = ["good1", "good2"].map(pidOf);
  const { code } = await scriptmgr("restart", "good1", "good2", "-w");
  assert.equal(code, 0);
  assert.equal(
    ["good1", "good2"].map(pidOf).some((pid) => before.includes(pid)),
    false,
  );
});

test("unknown names fail every command; the others are handled all the same", async () => {
  for (const command of ["start", "stop", "restart", "reload"]) {
    const { code, stderr } = await scriptmgr(command, "nobody-knows", "good3", "--dry-run");
    assert.equal(code, 1, command);
    assert.match(stderr, /ERROR Unknown job: nobody-knows\n/);
    assert.match(stderr, /good3/);
  }
  const nothing = await scriptmgr("stop");
  assert.equal(nothing.code, 1);
  assert.match(nothing.stderr, /ERROR no jobs given\nHINT: /);
});

test("a second scriptmgr that changes something waits its turn: it is refused", async () => {
  await using first = startProgram("scriptmgr3", [
    path("scriptmgr.ini"),
    "stop",
    "hang",
    "-w",
    "--timeout",
    "600",
  ]);
  await first.waitForOutput(/INFO Stopping hang/);
  const second = await scriptmgr("stop", "good1");
  assert.equal(second.code, 1);
  assert.match(second.stderr, /ERROR Pidfile exists, another process running\?/);
  assert.equal(isAlive("good1"), true);
});

test("the pid of somebody else in a pidfile is left alone", async () => {
  await using stranger = startProgram(process.execPath, [
    "-e",
    "setInterval(() => {}, 1000); console.log('up')",
  ]);
  await stranger.waitForOutput(/up/);
  writeFileSync(path("run/off2.pid"), String(stranger.pid));
  utimesSync(path("run/off2.pid"), new Date(0), new Date(0));
  writeJob("off2");
  const { code, stderr } = await scriptmgr("stop", "off2", "-w");
  assert.equal(code, 0);
  assert.match(stderr, /INFO off2 is not running\n/);
  assert.equal(stranger.isRunning, true);
});

test("two jobs of one name are an error, and neither is touched", async () => {
  writeJob("twin1", "job_name = twin\n");
  writeJob("twin2", "job_name = twin\n");
  const { code, stderr } = await scriptmgr("start", "-a", "--dry-run");
  assert.equal(code, 1);
  assert.match(stderr, /twin1\.ini: \[daemon\] job_name: another job has the name twin too\n/);
  assert.doesNotMatch(stderr, /Starting twin/);
});

/** A job that has got SIGINT would be ended by another one within a second: a new process has not. */
async function hangAnew(): Promise<void> {
  process.kill(pidOf("hang"), "SIGKILL");
  await waitFor("another process to hang", async () => {
    await scriptmgr("start", "hang");
    return readFileSync(path("run/hang.log"), "utf8")
      .trimEnd()
      .endsWith(`${pidOf("hang")} INFO hanging`);
  });
}

test("stop -a -w ends what it started, and names the job that hangs", async () => {
  await hangAnew();
  const { code, stderr } = await scriptmgr("stop", "-a", "-w", "--timeout", "2");
  assert.equal(code, 1);
  assert.match(stderr, /ERROR hang still runs after 2 s\nHINT: /);
  // The others may have needed more than two seconds, too.
  await waitFor("the end of the others", async () => {
    const running = [...(await statuses()).values()].filter(({ state }) => state === "OK");
    return running.map(({ job }) => job).join() === "hang";
  });
  process.kill(pidOf("hang"), "SIGKILL");
});

test("units for systemd run the same jobs", async () => {
  const { stdout } = await scriptmgr("generate-systemd", "good1", "other", "off", "--json");
  const units = JSON.parse(stdout) as { name: string; text: string }[];
  assert.deepEqual(
    units.map(({ name }) => name),
    ["daemon-good1.service", "guarded-other.service"],
  );
  assert.match(
    units[0]?.text ?? "",
    new RegExp(`\nExecStart=${process.execPath} ${daemon} ${path("jobs/good1.ini")}\n`),
  );
  assert.match(units[0]?.text ?? "", /\nKillSignal=SIGINT\n/);
  assert.doesNotMatch(units[0]?.text ?? "", /User=/);
  if (canSwitch) assert.match(units[1]?.text ?? "", /\nUser=nobody\n/);
});

test("a mistake in scriptmgr's own file stops everything, with its place", async () => {
  writeFileSync(path("bad.ini"), `[scriptmgr]\nconfig_list = x\n[daemon]\nscript = 'open\ncwd = /\n`);
  const bad = await runProgram("scriptmgr3", [path("bad.ini"), "status"]);
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /ERROR \S+bad\.ini:4: \[daemon\] script: has a quote without its end\n/);
  writeFileSync(path("bad.ini"), `[scriptmgr]\nconfig_list = x\n[daemon]\nscript = x\n`);
  const missing = await runProgram("scriptmgr3", [path("bad.ini"), "status"]);
  assert.match(missing.stderr, /ERROR \S+bad\.ini: \[daemon\] cwd: required key is not set\n/);
  writeFileSync(path("bad.ini"), `[scriptmgr]\nconfig_list = x\n[daemon]\nscript = LANG=C x\ncwd = /\n`);
  const assignment = await runProgram("scriptmgr3", [path("bad.ini"), "status"]);
  assert.match(
    assignment.stderr,
    /ERROR \S+bad\.ini:4: \[daemon\] script: LANG=C is no program, and no shell reads this\nHINT: Write env LANG=C PROGRAM\.\n/,
  );
});

test("names, arguments and places with what a shell would understand are taken as they are", async () => {
  const odd = `it's "a" $(touch canary) %% ; touch canary #`;
  const place = path(odd.replaceAll("%%", "%"));
  mkdirSync(place);
  const recorder = path("recorder.sh");
  writeFileSync(recorder, `#!/bin/sh\nfor word; do printf '%s\\n' "$word"; done > words\npwd >> words\n`);
  chmodSync(recorder, 0o755);
  const inQuotes = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  writeFileSync(
    path("odd.ini"),
    `[scriptmgr]\nconfig_list = ${path(odd)}/*.job\n
[${odd.replaceAll("%%", "%")}]\nscript = ${recorder} ${inQuotes(odd)}\nargs = ${inQuotes(odd)} -rf\ncwd = ${path(odd)}\n
[lost]\nscript = ${recorder}\ncwd = ${path("nowhere")}\n`,
  );
  const job = `${place}/-rf $(touch canary).job`;
  writeFileSync(
    job,
    `[${odd.replaceAll("%%", "%")}]\npidfile = %(job_name)s.pid\n[lost]\njob_name = lost\npidfile = x\n`,
  );
  const { code, stderr } = await runProgram("scriptmgr3", [path("odd.ini"), "start", "-a"], {
    cwd: directory.path,
  });
  assert.equal(code, 1);
  assert.match(stderr, /ERROR lost cannot be started: there is no directory \S+\/nowhere\n/);
  const literal = odd.replaceAll("%%", "%");
  assert.deepEqual(readFileSync(`${place}/words`, "utf8").split("\n"), [
    literal,
    job,
    literal,
    "-rf",
    "-d",
    place,
    "",
  ]);
  assert.deepEqual(
    [place, directory.path].filter((each) => existsSync(`${each}/canary`)),
    [],
  );
});
