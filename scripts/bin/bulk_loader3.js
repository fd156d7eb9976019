#!/usr/bin/env node
import "../dist/bulk-loader3/main.js";
