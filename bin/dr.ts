#!/usr/bin/env node
/** The operator's command line. */
import { main } from '../cli/main.ts';

process.exitCode = await main(process.argv.slice(2));
