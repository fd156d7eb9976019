import type { Settings } from "../place/settings.ts";
import type { EngineCommands } from "./engine.ts";

/** Source: pgBackRest's command reference */
export function pgBackRestCommands(settings: Settings): EngineCommands {
  const { config } = settings;
  const program = config.getOr("engine_command", "pgbackrest");
  const common = [
    program,
    `--stanza=${config.get("engine_stanza")}`,
    ...(settings.has("engine_config") ? [`--config=${config.getFile("engine_config")}`] : []),
  ];
  return {
    env: {},
    archivePush: (path) => [...common, "archive-push", path],
    archiveGet: (name, destination) => [...common, "archive-get", name, destination],
    backup: (kind) => [...common, `--type=${kind === "full" ? "full" : "incr"}`, "backup"],
    listBackups: (isJson) => [...common, ...(isJson ? ["--output=json"] : []), "info"],
    restore: ({ dataDirectory, set }) => [
      ...common,
      `--pg1-path=${dataDirectory}`,
      ...(set === undefined ? [] : [`--set=${set}`]),
      "restore",
    ],
    verify: () => [...common, "verify"],
    expire: () => [...common, "expire"],
  };
}
