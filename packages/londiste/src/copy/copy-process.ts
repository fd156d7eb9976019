import { unregisterConsumer } from "@skytools/pgq";
import { cascadedWorker, configuredConsumer, configuredQueue } from "@skytools/pgq/cascade";
import type { Database, Job } from "@skytools/skytools";
import { crashPoint, mergeConnectString, SkytoolsError } from "@skytools/skytools";
import { HandlerRegistry } from "../handler/handler-registry.ts";
import { getTable, localSetTableStruct, type ReplicatedTable } from "../londiste-api.ts";
import { copyConsumerName } from "../names.ts";
import { moveTable } from "../replay/move-table.ts";
import { openSourceSession, openTargetSession } from "../replication-session.ts";
import { releaseCopyLock, takeCopyLock } from "./copy-lock.ts";
import { CopyProgress } from "./copy-progress.ts";
import {
  type CopyPlace,
  completeSourceNode,
  copySourceNode,
  registerCopy,
  waitForScripts,
  waitForSourceTable,
} from "./copy-source.ts";
import { giveBack, hasPlace } from "./lost-place.ts";
import { tableSharers, waitForTurn } from "./merge-copy.ts";
import { copyStreams, streamKeys } from "./stream-settings.ts";
import { TableCatchUp } from "./table-catch-up.ts";
import { copyTable } from "./table-copy.ts";
import { TakeOverQueue } from "./take-over-queue.ts";

const shortestPollMs = 10;
const longestPollMs = 200;

/** The copy waits until it has told how far it is. Whoever keeps it from telling may be waiting for the copy in turn, which no server
 * could see: these are two sessions. */
async function limitLockWaits(progress: Database): Promise<void> {
  await progress.execute("set lock_timeout = '1s'");
}

/** Copies one table and replays its events until the worker takes the table over. Does one thing and ends: whoever started it
 * decides what follows a failure. May be killed anywhere and be started again in any state.
 * Source: spec/londiste.md 8 */
export class CopyProcess {
  readonly #job: Job;
  readonly #queueName: string;
  readonly #place: CopyPlace;
  readonly #table: string;
  readonly #takeOvers: TakeOverQueue;
  readonly #onCopied: () => void;
  #registry: HandlerRegistry | undefined;
  /** the session that has the table's lock */
  #locked: Database | undefined;

  /** @param takeOvers shared by the copies of this process
   * @param onCopied called when the rows are there and the table's state has moved on */
  constructor(
    job: Job,
    table: string,
    takeOvers: TakeOverQueue = new TakeOverQueue(),
    onCopied: () => void = () => {},
  ) {
    this.#job = job;
    this.#table = table;
    this.#takeOvers = takeOvers;
    this.#onCopied = onCopied;
    this.#queueName = configuredQueue(job.config);
    const workerName = configuredConsumer(job.config, job.name);
    const consumerName = copyConsumerName(workerName, table);
    this.#place = { job, queueName: this.#queueName, workerName, consumerName };
  }

  /** Leaves its sessions open, without a lock.
   * @returns exit code */
  async run(): Promise<number> {
    const code = await this.#run();
    if (this.#locked !== undefined && !this.#locked.isBroken) {
      await releaseCopyLock(this.#locked, this.#queueName, this.#table);
    }
    return code;
  }

  async #run(): Promise<number> {
    let table = await this.#find();
    if (table === undefined) return 1;
    if (table.state.kind === "none") {
      throw new SkytoolsError("COPY", `no copy was asked for: table "${this.#table}" has no state yet`, {
        hint: "The worker asks for it; start the worker, or use resync.",
      });
    }
    if (table.state.kind === "ok") {
      this.#job.log.info(`${this.#table} is in sync, nothing to copy`);
      return 0;
    }
    if (table.state.kind === "in-copy") {
      await this.#copy();
      table = await this.#find();
      if (table === undefined) return 1;
    } else if (!(await hasPlace(this.#place, await this.#target()))) {
      const destination = await this.#destination(table);
      await giveBack(this.#place, await this.#target(), { name: table.name, destination });
      return 0;
    }
    return this.#catchUp();
  }

  async #handlers(): Promise<HandlerRegistry> {
    this.#registry ??= await HandlerRegistry.load(this.#job.config);
    return this.#registry;
  }

  /** The local table that the rows go into. */
  async #destination(table: ReplicatedTable): Promise<string> {
    return (await this.#handlers()).ofTable(table)?.destination ?? table.destination;
  }

  async #find(): Promise<ReplicatedTable | undefined> {
    const target = await this.#target();
    const table = await getTable(target, this.#queueName, this.#table);
    await target.commit();
    if (table?.isLocal) return table;
    this.#job.log.error(`Table ${this.#table} removed from replication`);
    return undefined;
  }

  /** The session may be open from another table. */
  async #target(): Promise<Database> {
    const target = await this.#job.databases.get("db", {
      onConnect: (connected) => this.#connectTarget(connected),
    });
    if (target !== this.#locked) await this.#lock(target);
    return target;
  }

  async #connectTarget(target: Database): Promise<void> {
    await this.#lock(target);
    await openTargetSession(target, this.#job.log);
  }

  async #lock(target: Database): Promise<void> {
    await takeCopyLock(target, this.#queueName, this.#table);
    this.#locked = target;
  }

  /** The rows: registered on the queue first, so that no event after the snapshot can be missed. */
  async #copy(): Promise<void> {
    const { log, databases, config } = this.#job;
    const target = await this.#target();
    const table = await waitForTurn(this.#job, target, this.#queueName, this.#table);
    if (table === undefined) return;
    const place = this.#place;
    const registry = await this.#handlers();
    const handler = registry.ofTable(table) ?? {};
    let node = await copySourceNode(place, target, table, registry);
    let { source, connstr } = await this.#openSource(node);
    let sourceTable = await waitForSourceTable(place, source, this.#table);
    const above = await completeSourceNode(place, source, registry, {
      there: sourceTable,
      here: table,
      handler,
    });
    if (above !== undefined) {
      node = above;
      await databases.close("copy_source");
      ({ source, connstr } = await this.#openSource(node));
      sourceTable = await waitForSourceTable(place, source, this.#table);
    }
    log.info(`Using '${node.name}' as source node`);
    await registerCopy(place, source, target, node.name);
    crashPoint("copy.after-register");
    const destination = await this.#destination(table);
    const progress = new CopyProgress({
      log,
      connect: () =>
        databases.get("copy_progress", {
          connstr: config.get("db"),
          autocommit: true,
          onConnect: limitLockWaits,
        }),
      queueName: this.#queueName,
      table: this.#table,
      sourceNode: node.name,
    });
    try {
      const { snapshot } = await copyTable({
        source,
        target,
        log,
        table: this.#table,
        sourceTable: sourceTable.destination,
        destination,
        skipsTruncate: (table.attributes.get("skip_truncate") ?? "") !== "" || handler.copiesRows === false,
        handler,
        waitForScripts: () => waitForScripts(place, source, target, this.#table),
        storedDdl: table.droppedDdl,
        storeDdl: (ddl) => this.#storeDdl(target, ddl),
        others: tableSharers(target, this.#queueName, { name: this.#table, destination }),
        streams: copyStreams(this.#job, table.name, connstr),
        progress,
      });
      await this.#storeCopied(target, table, snapshot);
      crashPoint("copy.before-commit");
      await target.commit();
      crashPoint("copy.after-commit");
      this.#onCopied();
    } catch (error) {
      await progress.fail(error);
      throw error;
    }
    await progress.end("catching up");
    for (const key of streamKeys(this.#job)) await databases.close(key);
  }

  async #openSource({ location }: { readonly location: string }) {
    const { config, databases } = this.#job;
    const connstr = mergeConnectString(location, config.getOr("remote_extra_connstr", ""));
    const source = await databases.get("copy_source", {
      connstr,
      isolation: "repeatable read",
      onConnect: openSourceSession,
    });
    return { source, connstr };
  }

  /** @throws SkytoolsError when the table was removed, or sent elsewhere, while its rows were copied */
  async #storeCopied(target: Database, table: ReplicatedTable, snapshot: string): Promise<void> {
    const now = await getTable(target, this.#queueName, this.#table);
    const result = await moveTable(target, this.#job.log, {
      queueName: this.#queueName,
      table: this.#table,
      event: "data-copied",
      snapshot,
    });
    if (result.isMoved && now?.destination === table.destination) return;
    const reason = result.isMoved ? "its destination has changed" : result.reason;
    throw new SkytoolsError("COPY", `copy of table "${this.#table}" is not wanted any more: ${reason}`);
  }

  async #storeDdl(target: Database, ddl: string | null): Promise<void> {
    const call = { log: this.#job.log, quiet: true, commit: false };
    await localSetTableStruct(target, call, this.#queueName, this.#table, ddl);
  }

  async #catchUp(): Promise<number> {
    const { log } = this.#job;
    const { queueName, workerName, consumerName } = this.#place;
    const catchUp = new TableCatchUp(this.#job, {
      queueName,
      workerName,
      consumerName,
      table: this.#table,
      takeOvers: this.#takeOvers,
      registry: await this.#handlers(),
      connectTarget: (target) => this.#connectTarget(target),
    });
    const body = cascadedWorker(this.#job, catchUp, {
      targetKey: "db",
      queueName,
      consumerName,
      isNodeWorker: false,
      takesEachTick: () => true,
      span: (round, source) => catchUp.span(round, source),
    });
    let pollMs = shortestPollMs;
    while (!catchUp.isFinished && !this.#job.isStopping) {
      let result: "busy" | "idle";
      try {
        result = await body.work();
      } catch (error) {
        await body.onError?.(error);
        throw error;
      }
      this.#job.statistics.take();
      pollMs = result === "busy" ? shortestPollMs : Math.min(longestPollMs, pollMs * 2);
      if (!catchUp.isFinished && result === "idle") await this.#job.sleep(pollMs);
    }
    if (catchUp.provider !== undefined) {
      await unregisterConsumer(catchUp.provider, queueName, consumerName);
      await catchUp.provider.commit();
    }
    log.debug(`copy process of ${this.#table} ends`);
    return catchUp.outcome === "removed" ? 1 : 0;
  }
}
