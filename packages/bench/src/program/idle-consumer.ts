import { Consumer, consumerProgram } from "@skytools/pgq";
import { runProgram } from "@skytools/skytools";

class IdleConsumer extends Consumer {
  protected override processEvent(): void {}
}

await runProgram(
  consumerProgram({
    service: "idle_consumer",
    version: "1",
    summary: "does nothing",
    consumer: IdleConsumer,
  }),
);
