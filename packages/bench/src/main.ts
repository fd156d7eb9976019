import { parseArgs } from "node:util";
import { measure } from "./measure.ts";
import { contestTable, figureText, machineLine } from "./report.ts";
import { bloat } from "./scenario/bloat.ts";
import { branch } from "./scenario/branch.ts";
import { capture } from "./scenario/capture.ts";
import { compare } from "./scenario/compare.ts";
import { consume } from "./scenario/consume.ts";
import { consumer } from "./scenario/consumer.ts";
import { copy } from "./scenario/copy.ts";
import { growth } from "./scenario/growth.ts";
import { insert } from "./scenario/insert.ts";
import { latency } from "./scenario/latency.ts";
import { loaders } from "./scenario/loaders.ts";
import { memory } from "./scenario/memory.ts";
import { pauses } from "./scenario/pauses.ts";
import { replay, single } from "./scenario/replay.ts";
import { rowLatency } from "./scenario/row-latency.ts";
import { ticker } from "./scenario/ticker.ts";
import { walmgr } from "./scenario/walmgr.ts";
import type { Scenario } from "./scenario.ts";

const scenarios: readonly Scenario[] = [
  capture,
  insert,
  latency,
  ticker,
  consume,
  branch,
  consumer,
  copy,
  compare,
  replay,
  loaders,
  single,
  rowLatency,
  memory,
  growth,
  bloat,
  pauses,
  walmgr,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    scale: { type: "string", default: "1" },
    repeats: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (values.help || positionals.some((name) => !scenarios.some((scenario) => scenario.name === name))) {
  console.log("npm run bench -- [--scale=N] [--repeats=N] [--json] [SCENARIO ...]\n");
  for (const scenario of scenarios) console.log(`  ${scenario.name.padEnd(11)} ${scenario.summary}`);
  process.exit(values.help ? 0 : 2);
}

const options = { scale: Number(values.scale), repeats: Number(values.repeats) };
if (!values.json) console.log(`${machineLine()}\n`);
for (const scenario of scenarios) {
  if (positionals.length > 0 && !positionals.includes(scenario.name)) continue;
  for await (const contest of scenario.contests(options)) {
    if ("rows" in contest) {
      console.log(
        values.json ? JSON.stringify({ scenario: scenario.name, ...contest }) : figureText(contest),
      );
      if (contest.bars?.some(({ isMet }) => !isMet) === true) process.exitCode = 1;
      continue;
    }
    const rates = await measure(contest, contest.repeats ?? options.repeats);
    console.log(
      values.json
        ? JSON.stringify({ scenario: scenario.name, title: contest.title, unit: contest.unit, rates })
        : contestTable(contest, rates),
    );
  }
}
