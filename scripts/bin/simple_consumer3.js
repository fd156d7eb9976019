#!/usr/bin/env node
import "../lib/simple-consumer3/main.js";
