import {
  againCommand,
  includeCommand,
  printBufferCommand,
  quitCommand,
  resetBufferCommand,
  watchCommand,
} from "./buffer-commands.ts";
import { databasesCommand, describeCommand, tablesCommand } from "./catalog-commands.ts";
import { connectionCommand, reconnectCommand } from "./connection-commands.ts";
import { metaHelpCommand, syntaxHelpCommand } from "./help-commands.ts";
import { expandedCommand, nullCommand, timingCommand } from "./layout-commands.ts";
import type { MetaCommand } from "./meta-command.ts";

/** What a line that begins with a backslash may be; psql's meaning where psql has the command. */
export const metaCommands: readonly MetaCommand[] = [
  quitCommand,
  metaHelpCommand(() => metaCommands),
  syntaxHelpCommand,
  expandedCommand,
  timingCommand,
  nullCommand,
  reconnectCommand,
  connectionCommand,
  describeCommand,
  tablesCommand,
  databasesCommand,
  includeCommand,
  printBufferCommand,
  resetBufferCommand,
  againCommand,
  watchCommand,
];
