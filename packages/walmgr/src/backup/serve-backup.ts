import type { Job } from "@skytools/skytools";
import type { Settings } from "../place/settings.ts";
import type { Operation } from "../remote/serve.ts";
import { WalError } from "../wal/wal-error.ts";
import type { BackupPart } from "./base-backup.ts";
import { setMessage } from "./remote-set-target.ts";
import { LocalSetTarget } from "./set-target.ts";
import type { SetPlan } from "./set-writer.ts";

/** The far side of a backup that another host sends. */
export class BackupService {
  readonly #target: LocalSetTarget;
  #isUnderWay = false;

  constructor(job: Job, settings: Settings) {
    this.#target = new LocalSetTarget(job, settings);
  }

  operations(): Map<string, Operation> {
    const target = this.#target;
    return new Map<string, Operation>([
      [
        "backup-begin",
        async ({ plan }) => {
          await target.begin(plan as SetPlan);
          this.#isUnderWay = true;
        },
      ],
      [
        "backup-data",
        async (_request, channel) => {
          const data = channel.data();
          try {
            for await (const message of data) await this.#take(message);
          } finally {
            for await (const _rest of data);
          }
        },
      ],
      [
        "newest-manifest",
        async ({ systemIdentifier }) => {
          const found = await target.newestManifest(String(systemIdentifier));
          return found === undefined ? null : { id: found.id, manifest: found.manifest.toString("base64") };
        },
      ],
      ["store-config", ({ files }) => target.storeConfig(files as Record<string, string>)],
      [
        "backup-finish",
        async (request) => {
          const result = await target.finish({
            startLsn: BigInt(String(request.startLsn)),
            stopLsn: BigInt(String(request.stopLsn)),
            startTimeline: Number(request.startTimeline),
            stopTimeline: Number(request.stopTimeline),
          });
          this.#isUnderWay = false;
          return result;
        },
      ],
    ]);
  }

  async #take(message: Buffer): Promise<void> {
    if (!this.#isUnderWay) throw new WalError("backup data without a backup");
    const content = message.subarray(1);
    if (message[0] === setMessage.part) this.#target.beginPart(JSON.parse(content.toString()) as BackupPart);
    else if (message[0] === setMessage.manifest) this.#target.beginManifest();
    else if (!this.#target.data(content)) await this.#target.drained();
  }

  /** When the connection ends: what is not finished goes. */
  async close(): Promise<void> {
    if (this.#isUnderWay) await this.#target.abandon();
  }
}
