import assert from "node:assert/strict";
import { test } from "node:test";
import { WorkerDirectory } from "../fixture/worker-directory.ts";

for (const [what, args, expected] of [
  ["nothing", [], { code: 1, stdout: "need config file, use --help for help.\n", stderr: "" }],
  ["no command", ["w.ini"], { code: 1, stdout: "need command, use --help for help.\n", stderr: "" }],
  [
    "an unknown command",
    ["w.ini", "shw-all"],
    {
      code: 1,
      stdout: "Unknown command 'shw-all', use --help for help\nDid you mean show-all?\n",
      stderr: "",
    },
  ],
  [
    "a missing file",
    ["none.ini", "work"],
    { code: 1, stdout: "", stderr: "worker: Config file not found: none.ini\n" },
  ],
  [
    "too few operands",
    ["w.ini", "copy"],
    { code: 1, stdout: "", stderr: "worker: error: command 'copy' got 0 args, but expects 1: TABLE\n" },
  ],
  [
    "a bad override",
    ["w.ini", "work", "--set", "loop_delay=often"],
    {
      code: 1,
      stdout: "",
      stderr: 'worker: w.ini: [worker] loop_delay: "often" is not a number (given with --set)\n',
    },
  ],
  [
    "an unknown switch",
    ["w.ini", "work", "--nope"],
    {
      code: 2,
      stdout: "",
      stderr: "Usage: worker [options] INI COMMAND [args]\n\nworker: error: unknown option '--nope'\n",
    },
  ],
  [
    "another command's switch",
    ["w.ini", "work", "--dest-table=x"],
    {
      code: 2,
      stdout: "",
      stderr:
        'Usage: worker [options] INI COMMAND [args]\n\nworker: error: option --dest-table is not for command "work"\nHINT: Commands with this option: show-all.\n',
    },
  ],
  ["--check of a good file", ["w.ini", "--check"], { code: 0, stdout: "w.ini: ok\n", stderr: "" }],
] as const) {
  test(`${what}: exit ${expected.code} and one clear answer`, async () => {
    await using worker = await WorkerDirectory.make();
    assert.deepEqual(await worker.run(...args), expected);
  });
}

test("help, version and sample need no file", async () => {
  await using worker = await WorkerDirectory.make();
  const help = await worker.run("--help");
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^Usage: worker \[options\] INI COMMAND \[args\]\n/);
  assert.match(help.stdout, / {2}copy <TABLE> +does rounds beside the worker\n/);
  assert.match(help.stdout, / {2}-k, --kill +stop the running process at once\n/);
  assert.doesNotMatch(help.stdout, /fails/);
  const commandHelp = await worker.run("show-all", "-h");
  assert.match(commandHelp.stdout, /^Usage: worker \[options\] INI show-all \[NAME\.\.\.\]\n/);
  assert.match(commandHelp.stdout, / {2}--where <condition> +condition \(default: true\)\n/);
  assert.match(commandHelp.stdout, /Other names: list\n/);
  assert.match((await worker.run("-V")).stdout, /^worker version 1\.5, Skytools version \d+\.\d+\.\d+\S*\n$/);
  const sample = await worker.run("--ini", "--set", "greeting=moin");
  assert.equal(sample.code, 0);
  assert.match(
    sample.stdout,
    /^\[worker\]\n\n## Parameters for worker\n\n# what to say; required\n#greeting = hello\ngreeting = moin\n/,
  );
});

test("every bad value is one line with its place, and nothing starts", async () => {
  await using worker = await WorkerDirectory.make("busy_rounds = -1\nloop_delay = x\n");
  const { code, stdout, stderr } = await worker.run("w.ini", "work");
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.deepEqual(stderr.split("\n").sort(), [
    "",
    "worker: w.ini:5: [worker] busy_rounds: -1 is less than 0",
    'worker: w.ini:6: [worker] loop_delay: "x" is not a number',
  ]);
  assert.equal(worker.read("w.log"), undefined);
});

test("an unknown key is a warning, and an error for --check", async () => {
  await using worker = await WorkerDirectory.make("loop_delay = 0\nbussy_rounds = 1\n");
  const complaint = "w.ini:6: [worker] bussy_rounds: unknown key, perhaps busy_rounds is meant";
  const run = await worker.run("w.ini", "work");
  assert.equal(run.code, 0);
  assert.deepEqual(worker.log()[0], `WARNING ${complaint}`);
  assert.deepEqual(await worker.run("w.ini", "--check"), {
    code: 1,
    stdout: "",
    stderr: `worker: ${complaint}\n`,
  });
});

test("--check tells programs what it found", async () => {
  await using worker = await WorkerDirectory.make("loop_dellay = 0\n");
  const { code, stdout } = await worker.run("w.ini", "--check", "--json");
  assert.equal(code, 1);
  const place = { section: "worker", key: "loop_dellay", line: 5 };
  const message = "w.ini:5: [worker] loop_dellay: unknown key, perhaps loop_delay is meant";
  assert.deepEqual(JSON.parse(stdout), { file: "w.ini", isGood: false, problems: [{ message, ...place }] });
  worker.configure("");
  const good = await worker.run("w.ini", "--check", "--json");
  assert.deepEqual(JSON.parse(good.stdout), { file: "w.ini", isGood: true, problems: [] });
});

test("a file with the old section name starts", async () => {
  await using worker = await WorkerDirectory.make();
  worker.write("old.ini", "[worker3]\ngreeting = old\nloop_delay = 0\n");
  const { code, stderr } = await worker.run("old.ini", "work");
  assert.equal(code, 0);
  assert.match(stderr, /INFO round 1 old\n/);
});

test("a command sees its operands and switches", async () => {
  await using worker = await WorkerDirectory.make();
  const words = [
    "-v",
    "list",
    "a",
    "--dest=x",
    "b",
    "--handler-arg",
    "k=1",
    "--handler-arg=l=2",
    "--json",
    "--no-tr",
  ];
  const { code, stdout } = await worker.run("w.ini", ...words, "--dry-run");
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), {
    args: ["a", "b"],
    switches: { destTable: "x", handlerArg: ["k=1", "l=2"], noTriggers: true, where: "true", dryRun: true },
    json: true,
    isDryRun: true,
    isVerbose: true,
  });
});

test("a failing command is one line without stack and password, exit 1; -v adds the stack", async () => {
  await using worker = await WorkerDirectory.make();
  const { code, stderr } = await worker.run("w.ini", "fail", "now");
  assert.equal(code, 1);
  assert.match(stderr, /^\S+ \S+ \d+ ERROR Job w crashed: no way with password=\[\.\.\.\]\n$/);
  const verbose = await worker.run("w.ini", "-v", "fail", "now");
  assert.match(verbose.stderr, /ERROR Job w crashed: .*\nError: no way with password=\[\.\.\.\]\n {4}at /);
});

test("one-shot switches run in their order, beside a live process, and take no pidfile", async () => {
  await using worker = await WorkerDirectory.make();
  worker.write("w.pid", String(process.pid));
  const { code } = await worker.run("w.ini", "--reset-position", "work", "--register");
  assert.equal(code, 0);
  assert.deepEqual(worker.log(), ["INFO registered", "INFO position reset"]);
  assert.equal(worker.read("w.pid"), String(process.pid));
});
