import type { Settings } from "../place/settings.ts";
import type { EngineCommands } from "./engine.ts";

/** Source: WAL-G's README for PostgreSQL */
export function walGCommands(settings: Settings): EngineCommands {
  const { config } = settings;
  const program = config.getOr("engine_command", "wal-g");
  const common = [
    program,
    ...(settings.has("engine_config") ? ["--config", config.getFile("engine_config")] : []),
  ];
  const keep = Math.max(1, config.getInt("keep_backups"));
  return {
    // Overwriting is WAL-G's default.
    env: { WALG_PREVENT_WAL_OVERWRITE: "true" },
    archivePush: (path) => [...common, "wal-push", path],
    archiveGet: (name, destination) => [...common, "wal-fetch", name, destination],
    backup: (kind) => [
      ...common,
      "backup-push",
      ...(kind === "full" ? ["--full"] : []),
      settings.dataDirectory(),
    ],
    listBackups: (isJson) => [...common, "backup-list", ...(isJson ? ["--json", "--detail"] : [])],
    restore: ({ dataDirectory, set }) => [...common, "backup-fetch", dataDirectory, set ?? "LATEST"],
    verify: () => [...common, "wal-verify", "integrity", "timeline"],
    expire: () => [...common, "delete", "retain", "FULL", String(keep), "--confirm"],
  };
}
