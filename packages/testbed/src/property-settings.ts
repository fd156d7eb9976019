/* Loaded before each test file: properties that name no number of runs or seed of their own are tried with the same cases each time,
 * unless the environment asks for more or for others. */
import fc from "fast-check";

const { SKYTOOLS_FUZZ_RUNS: runs, SKYTOOLS_FUZZ_SEED: seed = "1" } = process.env;

fc.configureGlobal({ seed: Number(seed), ...(runs === undefined ? {} : { numRuns: Number(runs) }) });
