import { runProgram } from "@skytools/skytools";
import { simpleLocalConsumer } from "./simple-local-consumer.ts";

await runProgram(simpleLocalConsumer);
