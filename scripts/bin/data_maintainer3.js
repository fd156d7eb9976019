#!/usr/bin/env node
import "../dist/data-maintainer3/main.js";
