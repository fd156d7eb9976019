#!/usr/bin/env node
import "../dist/queue-splitter3/main.js";
