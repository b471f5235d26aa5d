/** `npm run bench`: how long the embedded cloud and the recovery's own orchestration take. Medians of several runs; no test depends on them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteDBInstanceCommand,
  DescribeDBInstancesCommand,
  type RDSClient,
  RestoreDBInstanceToPointInTimeCommand,
} from '@aws-sdk/client-rds';
import { invoke } from '../../cli/clients.ts';
import { type Installation, install } from '../../cli/installation.ts';
import { synthesize } from '../../cli/synthesize.ts';
import { namesOf } from '../../config/names.ts';
import { startCloud } from '../../local/cloud.ts';

interface Row {
  readonly what: string;
  readonly medianMs: string;
  readonly leastMs: string;
  readonly mostMs: string;
  readonly runs: number;
}

async function measure(what: string, runs: number, run: () => Promise<unknown>): Promise<Row> {
  const times: number[] = [];
  for (let each = 0; each < runs; each++) {
    const started = performance.now();
    await run();
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  const show = (value: number | undefined) => (value ?? 0).toFixed(1);
  return { what, medianMs: show(times[times.length >> 1]), leastMs: show(times[0]), mostMs: show(times.at(-1)), runs };
}

/** Until `done` says so. */
async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await sleep(20);
}

const status = async (rds: RDSClient, identifier: string) => {
  const found = await rds
    .send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier }))
    .catch(() => undefined);
  return found?.DBInstances?.[0]?.DBInstanceStatus;
};

/** A point-in-time restore from the call to `available`, through the real SDK; then the copy goes. */
async function restore({ clients: { rds }, configuration }: Installation, run: number): Promise<void> {
  const identifier = `bench-copy-${run}`;
  await rds.send(
    new RestoreDBInstanceToPointInTimeCommand({
      SourceDBInstanceIdentifier: configuration.database.identifier,
      TargetDBInstanceIdentifier: identifier,
      UseLatestRestorableTime: true,
    }),
  );
  await until(async () => (await status(rds, identifier)) === 'available');
  await rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier: identifier, SkipFinalSnapshot: true }));
  await until(async () => (await status(rds, identifier)) === undefined);
}

const scratch = mkdtempSync(join(tmpdir(), 'stocker-dr-bench-'));
const rows: Row[] = [];
try {
  const assembly = join(scratch, 'cdk.out');
  rows.push(await measure('cdk synth of one environment', 1, () => synthesize('production', assembly)));
  rows.push(
    await measure('start and stop an empty cloud of two Regions', 3, async () => {
      const cloud = await startCloud({ assemblies: [] });
      await cloud.stop();
    }),
  );
  const installation = await install({
    environment: 'production',
    assembly,
    rows: 100_000,
    clockFactor: 60,
  });
  try {
    const { clients, configuration } = installation;
    const lambda = namesOf(configuration).lambda;
    rows.push(
      await measure('warm function, through SDK, wire and role: register-database', 50, () =>
        invoke(clients.lambda, lambda('database/register-database'), {}),
      ),
    );
    rows.push(
      await measure('look of the sentinel over 100,000 movements', 5, () =>
        invoke(clients.lambda, lambda('database/look-for-damage'), {}),
      ),
    );
    let run = 0;
    rows.push(
      await measure('point-in-time restore to available, 100,000 movements, and its deletion', 3, () =>
        restore(installation, run++),
      ),
    );
  } finally {
    await installation.stop();
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.table(rows);
