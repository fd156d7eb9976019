import type { Database } from "@skytools/skytools";
import type { Stage } from "../stage.ts";

/** Where consumers read and write. */
export interface ConsumerPlaces {
  readonly source: string;
  readonly target: string;
  /** a plain name */
  readonly queue: string;
  /** a connection of ours to the source */
  readonly observer: Database;
}

/** Registers and starts consumer programs of one queue; what they move is their position in it.
 * @param programs by name, with their settings beside databases and queue */
export async function startConsumers(
  stage: Stage,
  { source, target, queue, observer }: ConsumerPlaces,
  programs: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<void> {
  for (const [program, values] of Object.entries(programs)) {
    const ini = stage.configure(program, program, {
      src_db: source,
      dst_db: target,
      queue_name: queue,
      ...values,
    });
    await stage.run(program, [ini.path, "--register"]);
    stage.start({
      name: program,
      command: program,
      ini,
      logFile: stage.logFile(program),
      changing: ["loop_delay", "0.2", "0.25"],
      progress: async () =>
        Number(
          await observer.queryValue("select last_tick from pgq.get_consumer_info($1, $2)", [queue, program]),
        ),
    });
  }
}
