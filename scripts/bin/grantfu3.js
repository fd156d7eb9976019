#!/usr/bin/env node
import "../lib/grantfu3/main.js";
