import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  type Cluster,
  moduleDatabase,
  runProgram,
  startProgram,
  type TemporaryDirectory,
  temporaryDirectory,
  waitFor,
} from "@skytools/testbed";
import { queueModules } from "./language.ts";
import { keys, Terminal } from "./terminal.ts";

/** The program itself, at a terminal and in scripts. */
export function describeProgram(clusterOf: () => Cluster): void {
  describe("qadmin as a program", () => {
    let cluster: Cluster;
    let home: TemporaryDirectory;
    let env: Record<string, string>;

    before(async () => {
      cluster = clusterOf();
      home = await temporaryDirectory("qadmin");
      await moduleDatabase(cluster, queueModules, "shop");
      env = { HOME: home.path, PGHOST: cluster.socketDir, PGPORT: String(cluster.port), PGUSER: "postgres" };
    });
    after(async () => {
      await home[Symbol.asyncDispose]();
    });

    const historyFile = () => join(home.path, ".qadmin_history");
    const history = () => readFileSync(historyFile(), "utf8").trimEnd().split("\n");
    const query = (sql: string) => cluster.query(sql, [], "shop");

    it("is a console: prompt, completion, several lines, Ctrl-C, history, questions, Ctrl-D", async () => {
      await query(
        "select pgq.create_queue('orders'), pgq.create_queue('My.Queue'), pgq.register_consumer('orders', 'mailer')",
      );
      await using terminal = new Terminal(["-d", "shop"], env);
      await terminal.expect(/Welcome to qadmin \(.*pgq \d.*\)[\s\S]*\(noqueue\)@shop> $/);

      // completion: words, names with quotes, what the schema of another program would give, all candidates on a second Tab
      terminal.type(`sho${keys.tab}`);
      await terminal.expect(/show $/);
      terminal.type(`q${keys.tab}`);
      await terminal.expect(/queue $/);
      terminal.type(`o${keys.tab}`);
      await terminal.expect(/orders$/);
      await terminal.enter(";", /Queue "orders":[\s\S]*> $/);
      terminal.type(`connect queue=my${keys.tab}`);
      await terminal.expect(/queue="My\.Queue"$/);
      await terminal.enter(";", /CONNECT\n"?My\.Queue@shop> $/);
      terminal.type(`register consumer m${keys.tab}`);
      await terminal.expect(/mailer$/);
      terminal.type(" ");
      await terminal.expect(/ $/);
      // the first Tab has nothing to add, which shows nowhere: the second one comes when it has been dealt with
      const list = waitFor(
        "all candidates",
        () => {
          terminal.type(keys.tab);
          return /on +copy +at +;/.test(terminal.screen());
        },
        { intervalMs: 100 },
      );
      await list;
      await terminal.expect(/on +copy +at +;[\s\S]*> register consumer mailer +$/);
      terminal.type(keys.interrupt);
      // A Tab too many may show them once more, even after that.
      await terminal.expect(/\^C\n[\s\S]*shop> $/);

      // several lines
      terminal.type(`select 1 as one,${keys.enter}`);
      await terminal.expect(/My\.Queue@shop- $/);
      terminal.type(`'it''s; -- not${keys.enter}`);
      await terminal.expect(/My\.Queue@shop' $/);
      await terminal.enter("over' as two;", /SELECT 1\nMy\.Queue@shop> $/);

      // Ctrl-C: a begun command, a line, a command that runs
      await terminal.enter("select", /shop- $/);
      terminal.type(`more${keys.interrupt}`);
      await terminal.expect(/\^C\n.*shop> $/);
      await terminal.enter("begin; select 42 as before;", /42[\s\S]*shop> $/);
      terminal.type(`rollback; select pg_sleep(1000);${keys.enter}`);
      await waitFor("the long statement", async () => {
        const rows = await query(
          "select from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'",
        );
        return rows.length === 1;
      });
      terminal.type(keys.interrupt);
      await terminal.expect(/ERROR: canceling statement due to user request\nMy\.Queue@shop> $/);

      // questions
      const question = /Really unregister mailer from queue orders.*\? \[y\/N\] $/;
      await terminal.enter("unregister consumer mailer from orders;", question);
      await terminal.enter("n", /Nothing done\n/);
      await terminal.enter("unregister consumer mailer from orders;", question);
      await terminal.enter("y", /UNREGISTER\n/);
      await terminal.enter("drop queue orders;", /Really drop queue orders with all its events\? \[y\/N\] $/);
      terminal.type(keys.interrupt);
      await terminal.expect(/Nothing done\n/);

      // errors
      await terminal.enter(
        "show queue orders x;",
        /syntax error 2: unexpected "x", expected ;\n {2}show queue orders x;\n {20}\^\n/,
      );
      await terminal.enter("select 1/0;", /ERROR: division by zero\n/);

      // backslash commands
      await terminal.enter("\\x", /Expanded display is on/);
      await terminal.enter("select 5 as five;", /-\[ RECORD 1 \]-+\nfive \| 5\n/);
      await terminal.enter("\\x off", /Expanded display is off/);
      await terminal.enter("\\d nosuch", /ERROR: there is no relation public\.nosuch/);
      await terminal.enter("\\dz", /ERROR: there is no command \\dz\nHINT: \\\? lists them/);
      await terminal.enter("alter role postgres password 'hidden';", /ALTER ROLE/);

      // history: the newest first, a command of several lines as one
      terminal.type(`${keys.up}${keys.up}${keys.up}${keys.up}${keys.up}`);
      await terminal.expect(/select 5 as five;$/);
      terminal.type(keys.interrupt);
      await terminal.expect(/\^C\n.*shop> $/);
      terminal.type(keys.end);
      assert.equal(await terminal.exitCode(), 0);
      assert.equal(statSync(historyFile()).mode & 0o777, 0o600);
      const entries = history();
      assert.ok(entries.includes("show queue orders;"));
      assert.ok(entries.includes("begin; select 42 as before;"));
      assert.equal(entries.at(-1), "\\dz");
      assert.ok(!entries.some((entry) => entry === "n" || entry === "y" || entry.includes("hidden")));
    });

    it("goes on after the server was restarted, with the history of the time before", async () => {
      writeFileSync(historyFile(), "select 1;\nselect 2 as two;\n");
      await using terminal = new Terminal(["-q", "shop"], env);
      await terminal.expect(/shop> $/);
      await cluster.restart();
      await terminal.enter(
        "select 7 as seven;",
        /connection to the server was lost, connecting again[\s\S]*seven[\s\S]*SELECT 1\n.*shop> $/,
      );
      terminal.type(`${keys.up}${keys.up}`);
      await terminal.expect(/select 2 as two;$/);
      await terminal.enter("", /two\n-+\n2\n[\s\S]*shop> $/);
      await terminal.enter("\\watch 0.01", /every 0\.01s\)\n[\s\S]*two[\s\S]*every 0\.01s\)\n[\s\S]*two/);
      terminal.type(keys.interrupt);
      await terminal.expect(/shop> $/);
      await terminal.enter("\\c postgres", /CONNECT\n\(noqueue\)@postgres> $/);
      terminal.type(`exit${keys.enter}`);
      assert.equal(await terminal.exitCode(), 0);
      assert.deepEqual(history().slice(-2), ["\\c postgres", "exit"]);
    });

    const qadmin = (words: readonly string[], input = "") => runProgram("qadmin", words, { env, input });

    it("runs what -c, -f and standard input say, and its exit code tells the outcome", async () => {
      const file = join(home.path, "queues.qa");
      writeFileSync(file, "-- a script\nselect 1\n  as one;\n\nselect nosuch;\nselect 2 as two;\n");
      const [failing, refused, strict, input, open] = await Promise.all([
        qadmin(["-d", "shop", "-e", "-f", file]),
        qadmin(["-d", "shop", "-c", 'create queue "My.Queue"; select 3 as three -- the end']),
        qadmin(["--dbname", "shop", "--strict", "--command", 'create queue "My.Queue"; select 3 as three']),
        qadmin(
          ["--json", `host=${cluster.socketDir} dbname=shop`],
          "select 4 as four; show\n version; exit; select nosuch;",
        ),
        qadmin(["shop", "-c", "select 'open"]),
      ]);
      assert.equal(failing.code, 1);
      assert.equal(failing.stdout, "select 1\n  as one;\none\n----------\n1\n\nSELECT 1\nselect nosuch;\n");
      assert.equal(
        failing.stderr,
        `${file}:5: ERROR: column "nosuch" does not exist\n  select nosuch;\n         ^\n`,
      );
      assert.deepEqual([refused.code, refused.stderr], [0, ""]);
      assert.match(refused.stdout, /^Queue already exists\nthree\n-+\n3\n\nSELECT 1\n$/);
      assert.deepEqual([strict.code, strict.stdout], [1, "Queue already exists\n"]);
      assert.deepEqual([input.code, input.stderr], [0, ""]);
      const [four, versions] = input.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      assert.deepEqual(four, { rows: [{ four: 4 }], status: "SELECT 1" });
      assert.deepEqual(Object.keys(versions!), ["qadmin", "server", "pgq"]);
      assert.deepEqual([open.code, open.stderr], [1, "syntax error 1: a string does not end\n"]);
    });

    it("cancels what runs when a script is interrupted, and ends by the signal", async () => {
      await using program = startProgram("qadmin", ["shop", "-c", "select pg_sleep(1000); select 1;"], {
        env,
      });
      const isSleeping = async () =>
        (await query("select from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'"))
          .length > 0;
      await waitFor("the statement", isSleeping);
      program.signal("SIGINT");
      assert.deepEqual(await program.exit, { code: null, signal: "SIGINT" });
      await waitFor("the end of the statement", async () => !(await isSleeping()));
    });

    it("shows no password in the list of processes, and keeps none in the history", async () => {
      const connstr = `host=${cluster.socketDir} dbname=shop password=hidden`;
      await using program = startProgram("qadmin", [connstr, "-c", "select pg_sleep(1000)"], { env });
      await waitFor("the statement", async () => {
        const rows = await query(
          "select from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'",
        );
        return rows.length > 0;
      });
      const commandLine = readFileSync(`/proc/${program.pid}/cmdline`, "utf8");
      assert.match(commandLine, /^qadmin /);
      assert.doesNotMatch(commandLine, /hidden/);
    });

    it("refuses wrong switches, and to destroy anything unasked", async () => {
      const [help, unknown, two, both, missing, unasked] = await Promise.all([
        qadmin(["--help"]),
        qadmin(["--nosuch"]),
        qadmin(["a", "b"]),
        qadmin(["-c", "x", "-f", "y"]),
        qadmin(["shop", "-f", "/nosuch/file"]),
        qadmin(["shop", "-c", "drop queue orders;"]),
      ]);
      assert.equal(help.code, 0);
      assert.match(help.stdout, /^Usage: qadmin \[switches\] \[dbname \| connstring\]\n/);
      for (const [result, message] of [
        [unknown, /^qadmin: unknown option '--nosuch'\nHINT: qadmin --help/],
        [two, /^qadmin: too many arguments: b\n/],
        [both, /^qadmin: -c and -f cannot be used together\n/],
        [missing, /^qadmin: cannot read \/nosuch\/file: ENOENT/],
        [unasked, /^ERROR: not confirmed: drop queue orders with all its events\nHINT: .*--yes/],
      ] as const) {
        assert.deepEqual([result.code, result.stdout], [1, ""]);
        assert.match(result.stderr, message);
      }
      assert.equal((await query("select from pgq.queue where queue_name = 'orders'")).length, 1);
      const agreed = await qadmin(["shop", "--yes", "-c", "drop queue orders;"]);
      assert.deepEqual([agreed.code, agreed.stdout], [0, "DROP\n"]);
    });
  });
}
