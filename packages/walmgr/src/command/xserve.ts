import type { Command } from "@skytools/skytools";
import { settingsFor } from "../place/settings.ts";
import { serve } from "../remote/serve.ts";

/** The other end of a connection by ssh: not for people. */
export const xserveCommand: Command = {
  name: "xserve",
  args: "",
  summary: "answer the requests of walmgr on the primary, on standard input",
  pidfile: "none",
  hidden: true,
  run: async (job) => {
    await serve(job, settingsFor(job, "standby").localArchive());
  },
};
