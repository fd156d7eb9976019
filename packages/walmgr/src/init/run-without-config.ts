import { parseArgs } from "node:util";
import { Database, hideSecretsOfCommandLine, SkytoolsError, UsageError } from "@skytools/skytools";
import { setSynchronousNames } from "../standby/synchronous-names.ts";
import { type InitOptions, initPrimary, initStandby } from "./init-config.ts";

const switches = {
  "init-master": { type: "boolean" },
  "init-primary": { type: "boolean" },
  "init-slave": { type: "boolean" },
  "init-standby": { type: "boolean" },
  "synch-standby": { type: "string" },
  slave: { type: "string" },
  pgdata: { type: "string" },
  "config-dir": { type: "string" },
  "walmgr-data": { type: "string" },
  "ssh-keygen": { type: "boolean" },
  "ssh-add-key": { type: "string" },
  "primary-conninfo": { type: "string" },
  "add-password": { type: "string" },
  "dry-run": { type: "boolean" },
  "not-really": { type: "boolean", short: "n" },
  help: { type: "boolean", short: "h" },
} as const;

const help = `Usage: walmgr --init-master --slave=HOST [options]
       walmgr --init-slave [options]
       walmgr --synch-standby=NAMES

Writes a configuration file, wal-master.ini or wal-slave.ini, never over an existing one; --init-primary and
--init-standby are other names. --synch-standby sets synchronous_standby_names of the local server.

  --slave=HOST            where the archive is, as ssh takes it
  --pgdata=DIRECTORY      the server's data directory (default: $PGDATA)
  --config-dir=DIRECTORY  where the file goes (default: ~/conf)
  --walmgr-data=DIRECTORY root of the archive (default: ~/walshipping)
  --ssh-keygen            with --init-master: make a key for ssh
  --ssh-add-key=FILE      with --init-slave: let the owner of this public key in
  --primary-conninfo=TEXT with --init-slave: how a streaming standby reaches the primary
  --add-password=FILE     with --init-slave: put the password in it into ~/.pgpass
  -n, --dry-run           print what would be done
`;

/** Whether the words ask for something that needs no configuration file. */
export function isWithoutConfig(argv: readonly string[]): boolean {
  return argv.some((word) => /^--(init-(master|slave|primary|standby)|synch-standby)(=|$)/.test(word));
}

/** `--init-master`, `--init-slave` and `--synch-standby`.
 * @returns exit code
 * Source: spec/walmgr.md 2 */
export async function runWithoutConfig(argv: readonly string[]): Promise<number> {
  hideSecretsOfCommandLine(argv);
  try {
    const values = parse(argv);
    if (values.help === true) {
      process.stdout.write(help);
      return 0;
    }
    const isDryRun = values["dry-run"] === true || values["not-really"] === true;
    if (values["synch-standby"] !== undefined) {
      const database = await Database.open("dbname=template1", { autocommit: true });
      try {
        const statement = await setSynchronousNames(database, values["synch-standby"], isDryRun);
        process.stdout.write(`${statement}\n`);
      } finally {
        await database.close();
      }
      return 0;
    }
    const options: InitOptions = {
      slave: values.slave,
      pgdata: values.pgdata,
      configDir: values["config-dir"],
      walmgrData: values["walmgr-data"],
      sshKeygen: values["ssh-keygen"] === true,
      sshAddKey: values["ssh-add-key"],
      primaryConninfo: values["primary-conninfo"],
      addPassword: values["add-password"],
      isDryRun,
    };
    const isPrimary = values["init-master"] === true || values["init-primary"] === true;
    for (const line of await (isPrimary ? initPrimary(options) : initStandby(options)))
      process.stdout.write(`${line}\n`);
    return 0;
  } catch (error) {
    const hint = error instanceof SkytoolsError && error.hint !== undefined ? `HINT: ${error.hint}\n` : "";
    process.stderr.write(`walmgr: error: ${error instanceof Error ? error.message : String(error)}\n${hint}`);
    return error instanceof SkytoolsError ? error.exitCode : 1;
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: switches, strict: true }).values;
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { exitCode: 2, cause });
  }
}
