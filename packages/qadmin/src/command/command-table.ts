import { alterQueueCommand } from "./alter-queue.ts";
import type { ConsoleCommand } from "./command.ts";
import { connectCommand, disconnectQueueCommand } from "./connect.ts";
import { deleteEventCommand } from "./delete-event.ts";
import { exitCommand } from "./exit.ts";
import { installLondisteCommand, installPgqCommand } from "./install.ts";
import {
  londisteAddSequenceCommand,
  londisteAddTableCommand,
  londisteMissingCommand,
  londisteRemoveSequenceCommand,
  londisteRemoveTableCommand,
  londisteSequencesCommand,
  londisteTablesCommand,
} from "./londiste.ts";
import { createQueueCommand, dropQueueCommand, renameQueueCommand } from "./queue.ts";
import { registerConsumerCommand, registerSubconsumerCommand } from "./register.ts";
import { showBatchCommand, showBatchEventsCommand, showBatchInfoCommand } from "./show-batch.ts";
import { showCascadeCommand } from "./show-cascade.ts";
import { showConsumerCommand } from "./show-consumer.ts";
import { showHelpCommand } from "./show-help.ts";
import { showNodeCommand } from "./show-node.ts";
import { showQueueCommand } from "./show-queue.ts";
import { showSequenceCommand, showTableCommand } from "./show-structure.ts";
import { showVersionCommand } from "./show-version.ts";
import { unregisterConsumerCommand, unregisterSubconsumerCommand } from "./unregister.ts";

/** The language of the console. Parsing, help and completion come from it alone. Where two commands read the same statement, the
 * first one counts.
 * Source: spec/qadmin.md 4; beyond it: disconnect, show cascade, rename, force, delete event, show batch info and events, `on` and `limit` */
export const consoleCommands: readonly ConsoleCommand[] = [
  connectCommand,
  disconnectQueueCommand,
  installPgqCommand,
  installLondisteCommand,
  showHelpCommand(() => consoleCommands),
  showVersionCommand,
  showQueueCommand,
  showConsumerCommand,
  showNodeCommand,
  showCascadeCommand,
  showBatchCommand,
  showBatchEventsCommand,
  showBatchInfoCommand,
  showTableCommand,
  showSequenceCommand,
  createQueueCommand,
  alterQueueCommand,
  renameQueueCommand,
  dropQueueCommand,
  deleteEventCommand,
  registerConsumerCommand,
  registerSubconsumerCommand,
  unregisterConsumerCommand,
  unregisterSubconsumerCommand,
  londisteAddTableCommand,
  londisteAddSequenceCommand,
  londisteRemoveTableCommand,
  londisteRemoveSequenceCommand,
  londisteMissingCommand,
  londisteTablesCommand,
  londisteSequencesCommand,
  exitCommand,
];
