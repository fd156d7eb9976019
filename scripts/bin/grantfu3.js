#!/usr/bin/env node
import "../dist/grantfu3/main.js";
