#!/usr/bin/env node
import "../lib/queue-loader3/main.js";
