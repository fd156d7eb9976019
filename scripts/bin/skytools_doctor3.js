#!/usr/bin/env node
import "../dist/skytools-doctor3/main.js";
