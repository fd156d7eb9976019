import { runProgram } from "@skytools/skytools";
import { simpleConsumer } from "./simple-consumer.ts";

await runProgram(simpleConsumer);
