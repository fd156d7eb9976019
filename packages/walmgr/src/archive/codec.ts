import { spawn } from "node:child_process";
import { Duplex, PassThrough } from "node:stream";
import zlib from "node:zlib";
import { environmentWithoutPassword } from "@skytools/skytools";
import { storageTrouble } from "../wal/wal-error.ts";

/** How files of an archive or a backup are compressed. */
export type Codec = "none" | "gzip" | "zstd";

export const codecs: readonly Codec[] = ["none", "gzip", "zstd"];

const suffixes: Readonly<Record<Codec, string>> = { none: "", gzip: ".gz", zstd: ".zst" };

export function codecSuffix(codec: Codec): string {
  return suffixes[codec];
}

/** Takes the name that a stored file has apart. */
export function splitCodec(storedName: string): { readonly name: string; readonly codec: Codec } {
  const codec = codecs.find((each) => each !== "none" && storedName.endsWith(suffixes[each])) ?? "none";
  return { name: storedName.slice(0, storedName.length - suffixes[codec].length), codec };
}

/** Takes plain bytes, gives compressed ones. Fast levels: WAL must not wait for compression. */
export function compressor(codec: Codec): Duplex {
  switch (codec) {
    case "none":
      return new PassThrough();
    case "gzip":
      return zlib.createGzip({ level: 1, chunkSize: 256 * 1024 });
    case "zstd":
      return nativeZstd("createZstdCompress") ?? zstdProgram(["-q", "-c", "-3"]);
  }
}

export function decompressor(codec: Codec): Duplex {
  switch (codec) {
    case "none":
      return new PassThrough();
    case "gzip":
      return zlib.createGunzip({ chunkSize: 256 * 1024 });
    case "zstd":
      return nativeZstd("createZstdDecompress") ?? zstdProgram(["-q", "-d", "-c"]);
  }
}

/** Node has zstd since 22.15. */
function nativeZstd(name: "createZstdCompress" | "createZstdDecompress"): Duplex | undefined {
  const create: unknown = Reflect.get(zlib, name);
  return typeof create === "function" ? (create() as Duplex) : undefined;
}

function zstdProgram(args: readonly string[]): Duplex {
  const child = spawn("zstd", args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: environmentWithoutPassword(),
  });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-1000);
  });
  const output = new PassThrough();
  const stream = Duplex.from({ writable: child.stdin, readable: output });
  const fail = (reason: string, cause?: Error) => output.destroy(storageTrouble(`zstd: ${reason}`, cause));
  child.once("error", (error) => fail("the program zstd could not be started", error));
  child.once("close", (code) => {
    if (code === 0) output.end();
    else fail(complaint.trim().split("\n")[0] || `ended with code ${code}`);
  });
  child.stdout.pipe(output, { end: false });
  return stream;
}
