import { runProgram } from "@skytools/skytools";
import { skytoolsDoctor } from "./skytools-doctor.ts";

await runProgram(skytoolsDoctor);
