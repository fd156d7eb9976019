#!/usr/bin/env node
import "../lib/skytools-upgrade3/main.js";
