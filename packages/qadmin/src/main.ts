import { runQadmin } from "./qadmin.ts";

process.exitCode = await runQadmin(process.argv.slice(2));
