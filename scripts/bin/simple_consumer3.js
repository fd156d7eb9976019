#!/usr/bin/env node
import "../dist/simple-consumer3/main.js";
