import { runProgram } from "@skytools/skytools";
import { simpleSerialConsumer } from "./simple-serial-consumer.ts";

await runProgram(simpleSerialConsumer);
