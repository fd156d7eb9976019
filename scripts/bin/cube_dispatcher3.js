#!/usr/bin/env node
import "../dist/cube-dispatcher3/main.js";
