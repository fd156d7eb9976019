import { runProgram } from "@skytools/skytools";
import { skytoolsUpgrade } from "./skytools-upgrade.ts";

await runProgram(skytoolsUpgrade);
