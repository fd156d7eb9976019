import { readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32c } from "./crc32c.ts";
import { errorCode, WalError } from "./wal-error.ts";

/** What walmgr needs to know from `global/pg_control` of a server that does not run. */
export interface ControlFile {
  readonly systemIdentifier: string;
  readonly isShutDown: boolean;
  readonly isInRecovery: boolean;
  /** takes writes; says so at once after a promotion, while `timeline` and the rest are those of the newest checkpoint */
  readonly isInProduction: boolean;
  readonly checkpoint: bigint;
  readonly redo: bigint;
  readonly timeline: number;
}

const states = ["starting up", "shut down", "shut down in recovery", "shutting down", "in crash recovery"];

/** A server that runs may be writing it just now. */
const mostReads = 10;
const pauseMs = 10;

/** Reads the fields that lie at the same place in PostgreSQL 14 to 18.
 * @throws WalError when there is no such file, or it is damaged or of another layout
 * Source: ControlFileData in PostgreSQL's pg_control.h */
export function readControlFile(dataDirectory: string): ControlFile {
  const path = join(dataDirectory, "global", "pg_control");
  let bytes = readBytes(path, dataDirectory);
  for (let reads = 1; reads < mostReads && !hasChecksum(bytes); reads += 1) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
    bytes = readBytes(path, dataDirectory);
  }
  const version = bytes.length >= 64 ? bytes.readUInt32LE(8) : 0;
  if (version < 1300 || version > 1999) {
    throw new WalError(`${path} is not of PostgreSQL 14 to 18 (control version ${version})`);
  }
  if (!hasChecksum(bytes)) throw new WalError(`${path} is damaged: its checksum is wrong`);
  const state = bytes.readUInt32LE(16);
  return {
    systemIdentifier: bytes.readBigUInt64LE(0).toString(),
    isShutDown: state === states.indexOf("shut down") || state === states.indexOf("shut down in recovery"),
    isInRecovery: state === states.indexOf("shut down in recovery") || state === 5,
    isInProduction: state === 6,
    checkpoint: bytes.readBigUInt64LE(32),
    redo: bytes.readBigUInt64LE(40),
    timeline: bytes.readUInt32LE(48),
  };
}

function readBytes(path: string, dataDirectory: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new WalError(`cannot read ${path} (${errorCode(cause)})`, {
      cause,
      hint: `Is ${dataDirectory} a data directory?`,
    });
  }
}

const leastBytes = 200;
const mostBytes = 512;

/** The checksum is the last field; where that lies differs between releases. */
function hasChecksum(bytes: Buffer): boolean {
  let sum = crc32c(bytes.subarray(0, leastBytes));
  for (let at = leastBytes; at + 4 <= Math.min(bytes.length, mostBytes); at += 4) {
    if (sum === bytes.readUInt32LE(at)) return true;
    sum = crc32c(bytes.subarray(at, at + 4), sum);
  }
  return false;
}
