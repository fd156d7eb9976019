#!/usr/bin/env node
import "../lib/queue-splitter3/main.js";
