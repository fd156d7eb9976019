import { nothing } from "../grammar/grammar.ts";
import { readVersions } from "../session/versions.ts";
import type { ConsoleCommand } from "./command.ts";

export const showVersionCommand: ConsoleCommand = {
  lead: "show version",
  rest: nothing,
  summary: "versions of qadmin, server and PgQ",
  run: async ({ db, printer }) => {
    const versions = await readVersions(db);
    const { qadmin, server, pgq } = versions;
    printer.document(`qadmin version ${qadmin}\nserver version ${server}\npgq version ${pgq}\n`, {
      ...versions,
    });
  },
};
