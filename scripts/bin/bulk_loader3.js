#!/usr/bin/env node
import "../lib/bulk-loader3/main.js";
