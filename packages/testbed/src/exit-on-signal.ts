const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Lets a signal end this process in order, with the exit code that a shell would show: servers and programs that it has started,
 * and its temporary directories, go with it. Without this a signal ends it on the spot.
 * @param tell is called before */
export function exitOnSignal(tell: () => void = () => {}): void {
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      tell();
      process.exit(exitCodes[signal]);
    });
  }
}
