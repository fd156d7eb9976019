import type { Readable } from "node:stream";
import type { ArchiveIdentity } from "./archive-identity.ts";

/** A file that is to be archived. It is read once. */
export interface WalSource {
  /** as the server calls it: a segment, `.history`, `.backup` or `.partial` */
  readonly name: string;
  readonly sizeBytes: number;
  /** its first bytes, enough for a WAL header; all of a small file */
  readonly head: Buffer;
  open(): Readable;
  /** where it is, when that is on this host: it can be copied without a stream then */
  readonly path?: string;
}

/** How far a batch of files got. */
export interface StoreResult {
  /** in the archive for good, under their names; `isNew` is false when identical content was there */
  readonly stored: readonly { readonly name: string; readonly isNew: boolean }[];
  /** why the first file that is not among them was not stored */
  readonly failure: Error | undefined;
}

/** A file of the archive. */
export interface StoredFile {
  /** as the server calls it */
  readonly name: string;
  /** as it lies there: with the suffix of its compression */
  readonly storedName: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** Where finished WAL files are kept, on this host or another one. */
export interface Archive {
  /** for messages */
  readonly place: string;
  /** @throws WalError exit code 2 when the archive cannot be read */
  identity(): Promise<ArchiveIdentity | undefined>;
  /** Stores files in order; what is stored is durable. Stops at the first failure.
   * @throws WalError exit code 2 when nothing could be tried */
  store(sources: readonly WalSource[]): Promise<StoreResult>;
  /** Reads a file of the archive; its checksum and header are checked, at the end.
   * @param sink can throw away what it got when this fails
   * @returns false when the archive does not have it
   * @throws WalError exit code 2 when the archive cannot be read, 44 when the stored copy is damaged */
  read(name: string, options: FetchOptions, sink: (chunk: Buffer) => Promise<void>): Promise<boolean>;
  /** The files of the archive. @throws WalError exit code 2 */
  list(): Promise<StoredFile[]>;
  /** What people have told the standby that reads here. */
  hasFlag(flag: ArchiveFlag): Promise<boolean>;
  setFlag(flag: ArchiveFlag, isSet: boolean): Promise<void>;
  /** A standby has got a file. Retention keeps what it would need if it started again.
   * @param restartSegment undefined, or zeros, before the server has a restart point */
  noteDelivery(restartSegment: string | undefined): Promise<void>;
  close(): Promise<void>;
}

/** `PAUSE`: hand out nothing; `STOP`: the standby is to become a primary. Source: spec/walmgr.md 4.1 */
export type ArchiveFlag = "PAUSE" | "STOP";

export interface FetchOptions {
  /** At the end of an archive: take what a receiver got of the segment that was being written. */
  readonly acceptsPartial?: boolean;
}
