import type { Command, Job } from "@skytools/skytools";
import { dryRunSwitch, UsageError } from "@skytools/skytools";
import { HandlerRegistry } from "../handler/handler-registry.ts";
import { formatHandlerSpec } from "../handler/handler-spec.ts";
import { getTableList, localChangeHandler, tableAttributes } from "../londiste-api.ts";
import { fullName } from "../names.ts";
import { handlerRegistration } from "../table/handler-registration.ts";
import { openLocalNode } from "../table/local-node.ts";
import { refuseBadCondition } from "../table/refuse-bad-condition.ts";
import { handlerSwitches, triggerArguments, triggerSwitches } from "../table/trigger-switches.ts";

/** Source: spec/londiste.md section 2 */
export const changeHandlerCommand: Command = {
  name: "change-handler",
  args: "TABLE",
  summary: "give a table another handler, without --handler the default one, and renew its triggers",
  pidfile: "admin",
  switches: [...triggerSwitches, dryRunSwitch],
  run: changeHandler,
};

async function changeHandler(job: Job): Promise<void> {
  const name = fullName(job.args[0] ?? "");
  const spec = handlerSwitches(job);
  const ownArguments = triggerArguments(job);
  const registry = await HandlerRegistry.load(job.config);
  const { local, queueName, node } = await openLocalNode(job);
  const table = (await getTableList(local, queueName)).find((entry) => entry.name === name);
  if (table === undefined || !table.isLocal) {
    throw new UsageError(`Table ${name} not found on this node`, {
      hint: "See tables; add-table gives a new one its handler.",
    });
  }
  const handler = spec === undefined ? undefined : registry.create(spec, table);
  const wanted = spec === undefined ? undefined : formatHandlerSpec(spec);
  const current = table.attributes.get("handler") ?? table.attributes.get("handlers") ?? undefined;
  if (wanted === current && ownArguments.length === 0) {
    job.log.info("Handler is already set to desired value, nothing done");
    return;
  }
  const { handler: _handler, handlers: _handlers, ...others } = Object.fromEntries(table.attributes);
  const attributes = tableAttributes({ ...others, ...(wanted === undefined ? {} : { handler: wanted }) });
  const registration = await handlerRegistration(local, handler ?? {}, ownArguments, table.destination);
  const tokens = [...registration, ...ownArguments];
  if (handler !== undefined) await refuseBadCondition(local, handler, table.destination);
  const call = { log: job.log, commit: false, quiet: job.isDryRun };
  await localChangeHandler(local, call, queueName, name, tokens, attributes);
  if (job.isDryRun) {
    job.stdout.write(`change handler of ${name} from ${current ?? "londiste"} to ${wanted ?? "londiste"}\n`);
    await local.rollback();
    return;
  }
  await local.commit();
  if (node.nodeType === "root" || table.state.kind !== "ok") return;
  job.log.info(
    `${name}: rows that are here stay as they are; "londiste3 resync ${name}" copies them by the new handler`,
  );
}
