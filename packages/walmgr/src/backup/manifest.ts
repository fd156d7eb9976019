import { createHash } from "node:crypto";
import { crc32c } from "../wal/crc32c.ts";
import { WalError } from "../wal/wal-error.ts";
import { safePath } from "./tar-reader.ts";

/** A file as a backup's manifest describes it. */
export interface ManifestFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** undefined: the backup was taken without checksums */
  readonly checksum: { readonly algorithm: string; readonly hex: string } | undefined;
}

/** The list of everything in a base backup but WAL.
 * Source: PostgreSQL manual, "Backup Manifest Format" */
export interface BackupManifest {
  readonly files: ReadonlyMap<string, ManifestFile>;
  readonly walRanges: readonly { readonly timeline: number; readonly start: string; readonly end: string }[];
  readonly systemIdentifier: string | undefined;
}

interface FileJson {
  readonly Path?: string;
  readonly "Encoded-Path"?: string;
  readonly Size: number;
  readonly "Checksum-Algorithm"?: string;
  readonly Checksum?: string;
}

interface RangeJson {
  readonly Timeline: number;
  readonly "Start-LSN": string;
  readonly "End-LSN": string;
}

interface ManifestJson {
  readonly Files: readonly FileJson[];
  readonly "WAL-Ranges": readonly RangeJson[];
}

/** @throws WalError when the text is not a manifest, or does not match its own checksum */
export function parseManifest(bytes: Buffer, name: string): BackupManifest {
  checkOwnSum(bytes, name);
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new WalError(`${name} is damaged: it is not JSON`, { cause });
  }
  if (!isManifest(json)) throw new WalError(`${name} is damaged: it does not list files as a manifest does`);
  const files = json.Files.map((file): ManifestFile => {
    const raw = file.Path ?? Buffer.from(file["Encoded-Path"] ?? "", "hex").toString("utf8");
    const algorithm = file["Checksum-Algorithm"];
    return {
      path: safePath(raw, name),
      sizeBytes: file.Size,
      checksum:
        algorithm === undefined || file.Checksum === undefined
          ? undefined
          : { algorithm, hex: file.Checksum },
    };
  });
  return {
    files: new Map(files.map((file) => [file.path, file])),
    walRanges: json["WAL-Ranges"].map((range) => ({
      timeline: range.Timeline,
      start: range["Start-LSN"],
      end: range["End-LSN"],
    })),
    // A number with more digits than JavaScript keeps: read from the text.
    systemIdentifier: /"System-Identifier":\s*(\d+)/.exec(bytes.toString("utf8", 0, 200))?.[1],
  };
}

function isManifest(value: unknown): value is ManifestJson {
  const { Files: files, "WAL-Ranges": ranges } = membersOf(value);
  return Array.isArray(files) && files.every(isFile) && Array.isArray(ranges) && ranges.every(isRange);
}

function isFile(value: unknown): boolean {
  const { Path: path, "Encoded-Path": encoded, Size: size, ...rest } = membersOf(value);
  const isNamed = path === undefined ? typeof encoded === "string" : typeof path === "string";
  const checks = [rest["Checksum-Algorithm"], rest.Checksum];
  const areTexts = checks.every((each) => each === undefined || typeof each === "string");
  return isNamed && areTexts && Number.isSafeInteger(size) && Number(size) >= 0;
}

function isRange(value: unknown): boolean {
  const { Timeline: timeline, "Start-LSN": start, "End-LSN": end } = membersOf(value);
  return Number.isSafeInteger(timeline) && typeof start === "string" && typeof end === "string";
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** The last line holds the SHA-256 of all lines before it. */
function checkOwnSum(bytes: Buffer, name: string): void {
  const at = bytes.lastIndexOf('"Manifest-Checksum"');
  const wanted = /"Manifest-Checksum":\s*"([0-9a-f]{64})"/.exec(
    bytes.toString("latin1", Math.max(at, 0)),
  )?.[1];
  const actual = createHash("sha256")
    .update(bytes.subarray(0, Math.max(at, 0)))
    .digest("hex");
  if (wanted !== actual) throw new WalError(`${name} is damaged: it does not match its own checksum`);
}

/** A checksum that is computed while bytes pass. */
export interface RunningChecksum {
  update(chunk: Buffer): void;
  hex(): string;
}

/** @throws WalError for an algorithm that manifests do not have */
export function runningChecksum(algorithm: string): RunningChecksum {
  if (algorithm === "CRC32C") {
    let crc = 0;
    return {
      update: (chunk) => {
        crc = crc32c(chunk, crc);
      },
      hex: () => {
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32LE(crc);
        return bytes.toString("hex");
      },
    };
  }
  if (!/^SHA(224|256|384|512)$/.test(algorithm))
    throw new WalError(`unknown checksum algorithm ${algorithm}`);
  const hash = createHash(algorithm.toLowerCase());
  return { update: (chunk) => void hash.update(chunk), hex: () => hash.digest("hex") };
}
