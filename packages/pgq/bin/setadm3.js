#!/usr/bin/env node
import "../lib/setadm/main.js";
