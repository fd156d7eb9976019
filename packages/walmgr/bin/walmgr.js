#!/usr/bin/env node
import module from "node:module";

// The server calls this program for every segment: compiled code is kept between calls where Node can do that (22.1).
module.enableCompileCache?.();
await import("../lib/main.js");
