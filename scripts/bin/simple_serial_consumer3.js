#!/usr/bin/env node
import "../lib/simple-serial-consumer3/main.js";
