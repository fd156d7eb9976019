#!/usr/bin/env node
import "../lib/table-dispatcher3/main.js";
