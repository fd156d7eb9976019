export { londiste } from "./cli.ts";
