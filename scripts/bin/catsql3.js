#!/usr/bin/env node
import "../dist/catsql3/main.js";
