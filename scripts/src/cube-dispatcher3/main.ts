import { runProgram } from "@skytools/skytools";
import { cubeDispatcher } from "./cube-dispatcher.ts";

await runProgram(cubeDispatcher);
