/** A part of the documentation: pages of one folder of doc/, in reading order. */
export interface Part {
  readonly title: string;
  /** below doc/; "" is doc/ itself */
  readonly folder: string;
  /** file names without `.adoc` */
  readonly pages: readonly string[];
}

/** What the web pages contain, in reading order, beside the manual pages (folder `man`), which follow from the programs. A page
 * that is in doc/ but not here fails the build. */
export const contents: readonly Part[] = [
  { title: "Start", folder: "", pages: ["index"] },
  { title: "Tutorials", folder: "tutorial", pages: ["first-queue", "first-replica", "first-standby"] },
  {
    title: "How to",
    folder: "howto",
    pages: [
      "cascade",
      "merge",
      "partition",
      "switchover",
      "takeover",
      "repair",
      "upgrade",
      "monitoring",
      "night",
      "capacity",
      "own-consumer",
      "own-handler",
      "managed-postgresql",
      "security",
    ],
  },
  {
    title: "Explanation",
    folder: "explanation",
    pages: [
      "batches",
      "rotation",
      "guarantees",
      "watermarks",
      "table-states",
      "wal-archive",
      "threats",
      "reliability",
    ],
  },
  {
    title: "Reference",
    folder: "reference",
    pages: [
      "config",
      "sql",
      "sql-txid",
      "sql-pgq",
      "sql-pgq_coop",
      "sql-pgq_ext",
      "sql-pgq_node",
      "sql-londiste",
      "sql-conflicthandler",
      "sql-dispatch",
      "sql-logtriga",
      "sql-logdb",
      "event-formats",
      "errors",
      "compatibility",
      "glossary",
      "news",
    ],
  },
  { title: "Project", folder: "", pages: ["architecture", "performance", "release"] },
];
