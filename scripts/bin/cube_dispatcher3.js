#!/usr/bin/env node
import "../lib/cube-dispatcher3/main.js";
