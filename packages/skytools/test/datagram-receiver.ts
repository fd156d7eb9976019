import { spawnSync } from "node:child_process";
import { type RunningProgram, startProgram, waitFor } from "@skytools/testbed";

// Node has no Unix datagram sockets; Perl's are in every Debian's base system.
const script = `
  use Socket; $| = 1;
  socket(S, AF_UNIX, SOCK_DGRAM, 0) or die; bind(S, sockaddr_un($ARGV[0])) or die "$!";
  print "bound\\0";
  while (defined recv(S, $m, 65536, 0)) { print "$m\\0" }`;

/** A Unix datagram socket and what came to it. */
export class DatagramReceiver implements AsyncDisposable {
  readonly path: string;
  readonly #program: RunningProgram;

  private constructor(path: string, program: RunningProgram) {
    this.path = path;
    this.#program = program;
  }

  /** Whether tests with it can run here. */
  static isPossible(...commands: readonly string[]): boolean {
    return ["perl", ...commands].every(
      (command) => spawnSync("sh", ["-c", `command -v ${command}`]).status === 0,
    );
  }

  static async bind(path: string): Promise<DatagramReceiver> {
    const program = startProgram("perl", ["-e", script, path]);
    await program.waitForOutput(/bound\0/);
    return new DatagramReceiver(path, program);
  }

  messages(): string[] {
    return this.#program.stdoutText().split("\0").slice(1, -1);
  }

  async waitFor(what: string, isThere: (messages: readonly string[]) => boolean): Promise<void> {
    await waitFor(what, () => isThere(this.messages()), { onTimeout: () => this.messages().join("\n") });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}
