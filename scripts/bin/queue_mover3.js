#!/usr/bin/env node
import "../lib/queue-mover3/main.js";
