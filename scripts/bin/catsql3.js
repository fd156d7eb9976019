#!/usr/bin/env node
import "../lib/catsql3/main.js";
