#!/usr/bin/env node
import "../lib/simple-local-consumer3/main.js";
