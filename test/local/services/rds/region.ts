/** A Region with nothing but RDS, on a clock that makes five minutes half a second. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as sdk from '@aws-sdk/client-rds';
import pg from 'pg';
import { createCertificateAuthority } from '../../../../local/certificates.ts';
import { scaledClock } from '../../../../local/clock.ts';
import type { Access, BusEvent, Call, Home, Service } from '../../../../local/kernel.ts';
import { createOutages, type Outages } from '../../../../local/outages.ts';
import { type RdsService, rds } from '../../../../local/services/rds/index.ts';
import { machineWorld } from '../../../../local/world.ts';

export const master = { MasterUsername: 'stocker', MasterUserPassword: 'correct-horse' };
export const small = { Engine: 'postgres', DBInstanceClass: 'db.t3.micro', AllocatedStorage: 20, ...master };

export interface RdsRegion {
  readonly service: RdsService;
  readonly outages: Outages;
  readonly certificateAuthority: string;
  readonly events: BusEvent[];
  readonly logLines: string[];
  /** Namespace and name of every point. */
  readonly metrics: string[];
  call<O = object>(operation: string, input?: object): Promise<O>;
  access(operation: string, input: object): Promise<readonly Access[]>;
  describe(identifier: string): Promise<sdk.DBInstance>;
  /** Waits for a status and returns every one seen on the way, without repetition. */
  until(identifier: string, status: string): Promise<string[]>;
  create(identifier: string, input?: object): Promise<sdk.DBInstance>;
  /** A client that verifies the server's certificate. */
  connect(identifier: string, options?: pg.ClientConfig): Promise<pg.Client>;
  stop(): Promise<void>;
}

export async function openRegion(): Promise<RdsRegion> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'rds-'));
  const authority = await createCertificateAuthority();
  const events: BusEvent[] = [];
  const logLines: string[] = [];
  const metrics: string[] = [];
  const observer = {
    operations: {},
    write: (_group: string, _stream: string, lines: string[]) => logLines.push(...lines),
    record: (namespace: string, metric: string) => metrics.push(`${namespace} ${metric}`),
  } as Service;
  const outages = createOutages();
  const clock = outages.clockIn('us-east-1', scaledClock(600));
  const home: Home = {
    account: '111122223333',
    region: 'us-east-1',
    regions: ['us-east-1'],
    clock,
    world: machineWorld(clock),
    darkness: outages,
    dataDirectory,
    endpoint: 'http://127.0.0.1:1',
    call: (name) => Promise.reject(new Error(`RDS calls no ${name}`)),
    service: () => observer,
    emit: (event) => events.push(event),
    issueCredentials: () => ({ accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c' }),
    authenticate: () => Promise.reject(new Error('RDS authenticates nobody')),
    images: {},
    issueCertificate: authority.issue,
    certificateAuthority: authority.certificate,
    faults: { before: async () => {}, after: async () => {} },
  };
  const service = rds.create(home) as RdsService;
  const context: Call = {
    account: home.account,
    region: home.region,
    principal: { kind: 'operator', arn: `arn:aws:iam::${home.account}:root`, accessKeyId: 'x' },
    requestId: 'r',
  };
  const find = (operation: string) => {
    const found = service.operations[operation];
    if (found === undefined) throw new Error(`RDS has no ${operation}`);
    return found;
  };
  const region: RdsRegion = {
    service,
    outages,
    certificateAuthority: authority.certificate,
    events,
    logLines,
    metrics,
    call: async (operation, input = {}) => {
      await find(operation).access(input, context);
      return find(operation).run(input, context);
    },
    access: async (operation, input) => find(operation).access(input, context),
    describe: async (DBInstanceIdentifier) => {
      const { DBInstances } = await region.call<sdk.DescribeDBInstancesCommandOutput>('DescribeDBInstances', {
        DBInstanceIdentifier,
      });
      if (DBInstances?.[0] === undefined) throw new Error('not described');
      return DBInstances[0];
    },
    until: async (identifier, status) => {
      const seen: string[] = [];
      for (;;) {
        const now = (await region.describe(identifier)).DBInstanceStatus ?? '';
        if (seen.at(-1) !== now) seen.push(now);
        if (now === status) return seen;
        if (['failed', 'incompatible-restore', 'incompatible-parameters'].includes(now)) {
          throw new Error(`${identifier}: ${now}: ${JSON.stringify(events.at(-1)?.detail.Message)}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    },
    create: async (identifier, input = {}) => {
      await region.call('CreateDBInstance', { DBInstanceIdentifier: identifier, ...small, ...input });
      await region.until(identifier, 'available');
      return region.describe(identifier);
    },
    connect: async (identifier, options = {}) => {
      const { Endpoint } = await region.describe(identifier);
      const client = new pg.Client({
        host: Endpoint?.Address,
        port: Endpoint?.Port,
        user: master.MasterUsername,
        password: master.MasterUserPassword,
        database: 'postgres',
        ssl: { ca: authority.certificate },
        ...options,
      });
      client.on('error', () => {});
      await client.connect();
      return client;
    },
    stop: async () => {
      outages.end();
      await service.stop?.();
      rmSync(dataDirectory, { recursive: true, force: true });
    },
  };
  await service.start?.();
  return region;
}
