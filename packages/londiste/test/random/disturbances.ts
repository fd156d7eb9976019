import { readdir, readFile, writeFile } from "node:fs/promises";
import { quoteFqIdent } from "@skytools/skytools";
import type { RandomSource } from "@skytools/testbed";
import { waitFor } from "@skytools/testbed";
import type { NodeName, Replication } from "../fixture/replication.js";
import { hostileTables } from "./hostile-tables.js";

/** The machine may be busy with other things. */
const timeoutMs = 180_000;

/** What an operator does, or a failing machine, while applications write. */
export class Disturbances {
  readonly #stage: Replication;
  readonly #random: RandomSource;
  /** where a table is on a node, for those that were renamed; by node and name in the set */
  readonly #renamed = new Map<string, string>();
  #scripts = 0;

  constructor(stage: Replication, random: RandomSource) {
    this.#stage = stage;
    this.#random = random;
  }

  /** Plain name of a table of the set on a node. */
  localName(node: NodeName, table: string): string {
    return this.#renamed.get(`${node} ${table}`) ?? table;
  }

  /** Does one of them.
   * @param tell is given its name before it begins */
  async next(tell: (name: string) => void): Promise<void> {
    const all = this.#all;
    const name = this.#random.pick(Object.keys(all));
    await all[name]!((detail) => tell(`${name} ${detail}`.trim()));
  }

  /** Transactions of the writers so far. */
  async #committed(): Promise<number> {
    const ledger = quoteFqIdent(this.localName("root", "public.ledger"));
    const [row] = await this.#stage.query<{ rows: number }>(
      "root",
      `select count(*)::int as rows from ${ledger}`,
    );
    return row!.rows;
  }

  readonly #all: Readonly<Record<string, (tell: (detail: string) => void) => Promise<void>>> = {
    "kill leaf worker": async (tell) => {
      tell("");
      await this.#stage.killProcess("leaf worker");
      this.#stage.startWorker("leaf");
    },
    "kill pgqd": async (tell) => {
      tell("");
      await this.#stage.killProcess("pgqd");
      this.#stage.startTicker();
    },
    "no ticks for a while": async (tell) => {
      tell("");
      const pgqd = this.#stage.program("pgqd");
      pgqd.signal("SIGSTOP");
      const before = await this.#committed();
      await waitFor("transactions between two ticks", async () => (await this.#committed()) >= before + 40, {
        timeoutMs,
      }).finally(() => pgqd.signal("SIGCONT"));
    },
    "kill copies": async (tell) => {
      tell("");
      await this.#killCopies();
    },
    "kill worker and copies": async (tell) => {
      tell("");
      await this.#stage.killProcess("leaf worker");
      await this.#killCopies();
      this.#stage.startWorker("leaf");
    },
    resync: async (tell) => {
      const tables = [this.#table(), this.#table()];
      tell(tables.join(", "));
      await this.#persistently("leaf", "resync", ...tables);
    },
    "remove and add on the leaf": async (tell) => {
      const table = this.#table();
      tell(table);
      await this.#persistently("leaf", "remove-table", table);
      await this.#add("leaf", table);
    },
    "remove and add on the root": async (tell) => {
      const table = this.#table();
      tell(table);
      await this.#removeFromSet(table);
      await this.#add("root", table);
      await this.#add("leaf", table);
    },
    "rename on the leaf": async (tell) => {
      const table = this.#tableWithoutName();
      tell(table);
      await this.#persistently("leaf", "remove-table", table);
      await this.#rename("leaf", table);
      await this.#add("leaf", table);
    },
    "rename on the root": async (tell) => {
      const table = this.#tableWithoutName();
      tell(table);
      await this.#removeFromSet(table);
      await this.#rename("root", table);
      await this.#add("root", table);
      await this.#add("leaf", table);
    },
    "restart root": async (tell) => {
      tell("");
      await this.#stage.clusters.root.restart("immediate");
    },
    "restart leaf": async (tell) => {
      tell("");
      await this.#stage.clusters.leaf.restart("immediate");
    },
    "let triggers act on the leaf, or not": async (tell) => {
      const mode = this.#random.pick(["enable always", "enable replica", "disable"]);
      tell(mode);
      await this.#alter("leaf", `alter table public.watched ${mode} trigger see`);
    },
    "rewrite a table": async (tell) => {
      const [table, type] = [
        this.#random.pick(["plain", "swap", "parent", "child"]),
        this.#random.pick(["int4", "int8"]),
      ];
      tell(table);
      await this.#alter("root", `alter table public.${table} alter column w type ${type}`);
    },
    "drop and add a column within a transaction": async (tell) => {
      tell("");
      const write = "update public.plain set w = w + 1 where id < 50";
      await this.#alter(
        "root",
        `begin; alter table public.plain drop column unused; ${write}; alter table public.plain add column unused int; ${write}; commit`,
      );
    },
    "execute a script": async (tell) => {
      this.#scripts += 1;
      const nr = this.#scripts;
      tell(String(nr));
      const sql = [
        "--*-- Need-Table: public.altered",
        `alter table public.altered add column c${nr} int default ${nr};`,
        `update public.altered set c${nr} = id where id % 2 = 0;`,
        nr > 2 ? `alter table public.altered drop column c${nr - 2};` : "",
      ];
      await writeFile(this.#stage.path(`${nr}.sql`), sql.join("\n"));
      await this.#persistently("root", "execute", `${nr}.sql`);
    },
  };

  #table(): string {
    return this.#random.pick(hostileTables).name;
  }

  #tableWithoutName(): string {
    return this.#random.pick(hostileTables.filter((table) => table.keepsName !== true)).name;
  }

  async #removeFromSet(table: string): Promise<void> {
    await this.#persistently("root", "remove-table", table);
    await waitFor(
      `${table} to be gone from the leaf`,
      async () => !(table in (await this.#stage.states().catch(() => ({ [table]: "?" })))),
      { timeoutMs, onTimeout: () => this.#stage.logTail("leaf") },
    );
  }

  async #add(node: NodeName, table: string): Promise<void> {
    const local = this.localName(node, table);
    await this.#persistently(node, "add-table", table, ...(local === table ? [] : [`--dest-table=${local}`]));
  }

  /** To another name, or back. */
  async #rename(node: NodeName, table: string): Promise<void> {
    const key = `${node} ${table}`;
    const from = this.localName(node, table);
    const schema = table.slice(0, table.indexOf("."));
    const to =
      from === table ? `${schema}.re.named "${hostileTables.findIndex(({ name }) => name === table)}` : table;
    const plain = quoteFqIdent(to).slice(quoteFqIdent(`${schema}.x`).length - 1);
    await waitFor(
      `${from} to be renamed`,
      async () => {
        await this.#stage.run(
          node,
          `set lock_timeout = '5s'; alter table ${quoteFqIdent(from)} rename to ${plain}`,
        );
        return true;
      },
      { timeoutMs, intervalMs: 300 },
    );
    if (to === table) this.#renamed.delete(key);
    else this.#renamed.set(key, to);
  }

  /** A command that goes on until it is done: servers may be starting. */
  async #persistently(node: NodeName, ...args: string[]): Promise<void> {
    await waitFor(
      `londiste3 ${node} ${args.join(" ")}`,
      async () => {
        const result = await this.#stage.tryLondiste(node, ...args);
        if (result.code !== 0) throw new Error(result.stderr);
        return true;
      },
      { timeoutMs, intervalMs: 300, onTimeout: () => this.#stage.logTail("leaf") },
    );
  }

  async #killCopies(): Promise<void> {
    for (const file of await readdir(this.#stage.directory)) {
      if (!file.startsWith("leaf.pid.copy.")) continue;
      const pid = Number(await readFile(this.#stage.path(file), "utf8").catch(() => "0"));
      try {
        if (pid > 0) process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
  }

  async #alter(node: NodeName, sql: string): Promise<void> {
    await this.#stage.run(node, `set lock_timeout = '1s'; ${sql}`).catch(() => {});
  }
}
