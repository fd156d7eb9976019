#!/usr/bin/env node
import "../lib/find-sql-functions3/main.js";
