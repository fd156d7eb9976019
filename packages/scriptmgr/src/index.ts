export { scriptmgr } from "./cli.ts";
