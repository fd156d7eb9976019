import {
  appendFileSync,
  type CopyOptions,
  chmodSync,
  copyFileSync,
  lstatSync,
  type MakeDirectoryOptions,
  mkdirSync,
  openSync,
  type RmOptions,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  type WriteFileOptions,
  writeFileSync,
} from "node:fs";
import { appendFile, chmod, cp, mkdir, open, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crashPoint, isCrashPointSet } from "../script/crash-point.ts";
import { OpenFile, OpenFileSync } from "./open-file.ts";

/* Whatever changes files, but for the names that take-name.ts gives and what open-file.ts writes: each change is a moment at which a
 * test can let the process die. */

/** Something is on the disk that was not there, or not there any more, or different. */
function changed(): void {
  crashPoint("file.changed");
}

/** As `rm` of node:fs/promises. */
export async function removePath(path: string, options: RmOptions = {}): Promise<void> {
  if (isCrashPointSet("file.changed")) removeInPieces(path, options);
  else await rm(path, options);
}

/** As `rmSync` of node:fs. */
export function removePathSync(path: string, options: RmOptions = {}): void {
  if (isCrashPointSet("file.changed")) removeInPieces(path, options);
  else rmSync(path, options);
}

/** As rm, which may die when some of a directory's entries are gone. What is not there makes no difference. */
function removeInPieces(path: string, options: RmOptions): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true && options.recursive === true) {
    for (const name of readdirSync(path)) {
      rmSync(join(path, name), options);
      changed();
    }
  }
  rmSync(path, options);
  if (stat !== undefined) changed();
}

/** As `rmdir` of node:fs/promises. */
export async function removeEmptyDirectory(path: string): Promise<void> {
  await rmdir(path);
  changed();
}

/** As `mkdir` of node:fs/promises. @returns the first directory made when that is recursive */
export async function createDirectory(
  path: string,
  options: MakeDirectoryOptions = {},
): Promise<string | undefined> {
  const first = await mkdir(path, options);
  if (first !== undefined || options.recursive !== true) changed();
  return first;
}

/** As `mkdirSync` of node:fs. */
export function createDirectorySync(path: string, options: MakeDirectoryOptions = {}): void {
  const first = mkdirSync(path, options);
  if (first !== undefined || options.recursive !== true) changed();
}

/** As `symlinkSync` of node:fs. */
export function createSymlinkSync(target: string, path: string): void {
  symlinkSync(target, path);
  changed();
}

/** As `writeFile` of node:fs/promises, by name. */
export async function writeNamedFile(
  path: string,
  content: string | Uint8Array,
  options: { readonly mode?: number; readonly flag?: string } = {},
): Promise<void> {
  const [begin, rest] = inTwo(content);
  await writeFile(path, begin, options);
  changed();
  if (rest === undefined) return;
  await appendFile(path, rest);
  changed();
}

/** As `writeFileSync` of node:fs, by name. */
export function writeNamedFileSync(
  path: string,
  content: string | Uint8Array,
  options: WriteFileOptions = {},
): void {
  const [begin, rest] = inTwo(content);
  writeFileSync(path, begin, options);
  changed();
  if (rest === undefined) return;
  appendFileSync(path, rest);
  changed();
}

/** A process may die when it has written a part. */
function inTwo(content: string | Uint8Array): readonly [begin: string | Uint8Array, rest?: Uint8Array] {
  const bytes = Buffer.from(content);
  if (!isCrashPointSet("file.changed") || bytes.length < 2) return [content];
  const middle = bytes.length >> 1;
  return [bytes.subarray(0, middle), bytes.subarray(middle)];
}

/** As `appendFileSync` of node:fs, by name. */
export function appendNamedFileSync(path: string, content: string, options: WriteFileOptions = {}): void {
  appendFileSync(path, content, options);
  changed();
}

/** As `copyFileSync` of node:fs. */
export function copyNamedFileSync(from: string, to: string): void {
  copyFileSync(from, to);
  changed();
}

/** As `cp` of node:fs/promises. */
export async function copyTree(from: string, to: string, options: CopyOptions = {}): Promise<void> {
  await cp(from, to, options);
  changed();
}

/** As `chmod` of node:fs/promises. */
export async function setMode(path: string, mode: number): Promise<void> {
  await chmod(path, mode);
  changed();
}

/** As `chmodSync` of node:fs. */
export function setModeSync(path: string, mode: number): void {
  chmodSync(path, mode);
  changed();
}

/** As `utimesSync` of node:fs, both times the same. */
export function setTimesSync(path: string, at: Date): void {
  utimesSync(path, at, at);
  changed();
}

/** As `open` of node:fs/promises, for more than reading. */
export async function openToWrite(path: string, flags: string | number, mode?: number): Promise<OpenFile> {
  const handle = await open(path, flags, mode);
  changed();
  return new OpenFile(handle);
}

/** As `openSync` of node:fs, for more than reading. */
export function openToWriteSync(path: string, flags: string | number, mode?: number): OpenFileSync {
  const descriptor = openSync(path, flags, mode);
  changed();
  return new OpenFileSync(descriptor);
}
