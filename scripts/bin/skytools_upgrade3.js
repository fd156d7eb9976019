#!/usr/bin/env node
import "../dist/skytools-upgrade3/main.js";
