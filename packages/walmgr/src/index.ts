export { walmgr } from "./cli.ts";
