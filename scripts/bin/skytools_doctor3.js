#!/usr/bin/env node
import "../lib/skytools-doctor3/main.js";
