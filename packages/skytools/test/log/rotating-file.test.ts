import assert from "node:assert/strict";
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@skytools/testbed";
import { RotatingFile, type RotatingFileOptions } from "#src/log/rotating-file.js";

async function withFile(
  options: RotatingFileOptions,
  body: (file: RotatingFile, read: (suffix?: string) => string | undefined) => void,
): Promise<void> {
  await using directory = await temporaryDirectory("log");
  const path = join(directory.path, "x.log");
  const file = new RotatingFile(path, options);
  body(file, (suffix = "") => (existsSync(path + suffix) ? readFileSync(path + suffix, "utf8") : undefined));
  file.close();
}

test("a full file is put aside, the oldest one goes", async () => {
  await withFile({ maxBytes: 10, keptFiles: 2 }, (file, read) => {
    for (const line of ["aaaaaaaa\n", "bbbbbbbb\n", "cccccccc\n", "dddddddd\n"]) file.write(line);
    assert.deepEqual(
      [read(), read(".1"), read(".2"), read(".3")],
      ["dddddddd\n", "cccccccc\n", "bbbbbbbb\n", undefined],
    );
  });
});

test("lines that fit stay together, a line longer than a file still comes out whole", async () => {
  await withFile({ maxBytes: 10, keptFiles: 1 }, (file, read) => {
    file.write("12345\n");
    file.write("789\n");
    assert.equal(read(), "12345\n789\n");
    file.write("a line that is too long\n");
    assert.equal(read(), "a line that is too long\n");
    assert.equal(read(".1"), "12345\n789\n");
  });
});

for (const options of [
  { maxBytes: 0, keptFiles: 3 },
  { maxBytes: 5, keptFiles: 0 },
]) {
  test(`nothing is put aside with ${JSON.stringify(options)}`, async () => {
    await withFile(options, (file, read) => {
      file.write("12345\n");
      file.write("67890\n");
      assert.equal(read(), "12345\n67890\n");
      assert.equal(read(".1"), undefined);
    });
  });
}

test("a file that somebody moved or removed is opened anew at the next line", async () => {
  await withFile({ maxBytes: 0, keptFiles: 0 }, (file, read) => {
    file.write("one\n");
    renameSync(file.path, `${file.path}.old`);
    file.write("two\n");
    assert.equal(read(".old"), "one\n");
    assert.equal(read(), "two\n");
    rmSync(file.path);
    file.write("three\n");
    assert.equal(read(), "three\n");
  });
});

test("two writers of one file both follow when one puts it aside", async () => {
  await withFile({ maxBytes: 12, keptFiles: 1 }, (file, read) => {
    const other = new RotatingFile(file.path, { maxBytes: 12, keptFiles: 1 });
    other.write("other\n");
    file.write("mine1\n");
    file.write("mine2\n");
    other.write("late\n");
    other.close();
    assert.equal(read(), "mine2\nlate\n");
    assert.equal(read(".1"), "other\nmine1\n");
  });
});

test("a file in a directory that does not exist cannot be opened", () => {
  assert.throws(() => new RotatingFile("/nonexistent/x.log", { maxBytes: 0, keptFiles: 0 }), {
    code: "ENOENT",
  });
});
