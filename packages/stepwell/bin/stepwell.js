#!/usr/bin/env node
import "@stepwell/cli/stepwell";
