import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@skytools/testbed";
import { locateServer } from "#src/init/server-location.js";

test("the server's program and file of settings are found, with blanks in their paths and however the switch is written", async () => {
  await using directory = await temporaryDirectory("opts");
  for (const [line, binDirectory, configFile] of [
    [
      '/usr/lib/pg/bin/postgres "-D" "/d" "-c" "config_file=/etc/pg/p.conf"\n',
      "/usr/lib/pg/bin",
      "/etc/pg/p.conf",
    ],
    [
      '/opt/my pg/bin/postgres "-D" "/d x" "-c" "config_file=/etc/my pg/p.conf"\n',
      "/opt/my pg/bin",
      "/etc/my pg/p.conf",
    ],
    ['/b/postgres "--config-file=/etc/p.conf" "-p" "1"\n', "/b", "/etc/p.conf"],
    ['/b/postgres "-cconfig_file=/etc/p.conf"\n', "/b", "/etc/p.conf"],
    ["/b/postgres\n", "/b", join(directory.path, "postgresql.conf")],
  ] as const) {
    writeFileSync(join(directory.path, "postmaster.opts"), line);
    const found = locateServer(directory.path);
    assert.deepEqual(found, { dataDirectory: directory.path, binDirectory, configFile }, line);
  }
});
