import type { Job } from "@skytools/skytools";

/** Tells that a configuration file calls its section by a name of earlier releases. */
export function warnOfOldSection({ config, log, program }: Job): void {
  const old = program.sectionAliases?.find((name) => config.sections().includes(name));
  if (old === undefined || config.sections().includes(program.service)) return;
  log.warn(`${config.file}: section [${old}] is now called [${program.service}]`);
}
