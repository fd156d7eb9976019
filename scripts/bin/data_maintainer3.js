#!/usr/bin/env node
import "../lib/data-maintainer3/main.js";
