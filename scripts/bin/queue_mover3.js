#!/usr/bin/env node
import "../dist/queue-mover3/main.js";
