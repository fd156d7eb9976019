import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A socket that a process has. */
export interface HeldSocket {
  readonly pid: number;
  readonly inode: string;
}

const established = "01";

/** Connections of a process to ports of this machine. Linux tells: on other systems there are none.
 * Source: proc_pid_net(5), proc_pid_fd(5) */
export function socketsTo(ports: readonly number[], pid: number): HeldSocket[] {
  const wanted = new Set(ports.map((port) => port.toString(16).toUpperCase().padStart(4, "0")));
  const inodes = new Set(
    connectionLines().flatMap((fields) => {
      const [, , remote, state, , , , , , inode] = fields;
      return state === established && wanted.has(remote!.split(":")[1]!) ? inode! : [];
    }),
  );
  return inodesOf(pid).flatMap((inode) => (inodes.has(inode) ? { pid, inode } : []));
}

/** The process lives, and has not closed it. */
export function isHeld({ pid, inode }: HeldSocket): boolean {
  return inodesOf(pid).includes(inode);
}

function connectionLines(): string[][] {
  try {
    const [, ...lines] = readFileSync("/proc/net/tcp", "utf8").trimEnd().split("\n");
    return lines.map((line) => line.trim().split(/\s+/));
  } catch {
    return [];
  }
}

function inodesOf(pid: number): string[] {
  try {
    const directory = `/proc/${pid}/fd`;
    return readdirSync(directory).flatMap((name) => {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(linkOf(`${directory}/${name}`)) ?? [];
      return inode ?? [];
    });
  } catch {
    return [];
  }
}

/** Closed meanwhile: nothing. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
