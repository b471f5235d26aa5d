#!/usr/bin/env node
/** The operator's command line. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// Compiled code is kept from run to run, in the checkout: a directory of all users may hold anybody's.
enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'compiled'));
const { main } = await import('../cli/main.ts');

process.exitCode = await main(process.argv.slice(2));
