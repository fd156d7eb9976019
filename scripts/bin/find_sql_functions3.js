#!/usr/bin/env node
import "../dist/find-sql-functions3/main.js";
