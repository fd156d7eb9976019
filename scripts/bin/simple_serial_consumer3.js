#!/usr/bin/env node
import "../dist/simple-serial-consumer3/main.js";
