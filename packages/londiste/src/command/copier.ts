import type { Command } from "@skytools/skytools";
import { Copier } from "../copy/copier.ts";

/** What the worker starts to get tables copied. */
export const copierCommand: Command = {
  name: "copier",
  args: "",
  summary: "copy tables as the worker orders",
  pidfile: "none",
  hidden: true,
  onInterrupt: "finish",
  run: (job) => new Copier(job).run(),
};
