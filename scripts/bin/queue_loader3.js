#!/usr/bin/env node
import "../dist/queue-loader3/main.js";
