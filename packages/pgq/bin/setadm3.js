#!/usr/bin/env node
import "../dist/setadm/main.js";
