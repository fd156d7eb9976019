#!/usr/bin/env node
import "../dist/table-dispatcher3/main.js";
