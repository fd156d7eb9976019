#!/usr/bin/env node
import "../dist/simple-local-consumer3/main.js";
