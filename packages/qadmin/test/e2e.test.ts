import { after, before, describe } from "node:test";
import { type Cluster, startCluster } from "@skytools/testbed";
import { describeLanguage } from "./language.ts";
import { describeProgram } from "./program.ts";

describe("qadmin", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster();
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  describeLanguage(() => cluster);
  describeProgram(() => cluster);
});
