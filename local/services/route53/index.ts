/**
 * Amazon Route 53: hosted zones that a real name server answers for, and health checks that decide what it answers. The
 * API is in us-east-1 and goes with it; answering and checking are everywhere and go on.
 */

import type { RecordType } from '../../dns/data.ts';
import { type Answer, lookUp } from '../../dns/lookup.ts';
import { canonicalName } from '../../dns/names.ts';
import type { Home, Service, ServiceDefinition } from '../../kernel.ts';
import { HealthChecks } from './health-checks.ts';
import { healthOperations, tagOperations } from './health-operations.ts';
import { route53Resources } from './resources.ts';
import { zoneOperations } from './zone-operations.ts';
import { Zones } from './zones.ts';

export interface Route53Service extends Service {
  /** What the name servers answer now. */
  answer(name: string, type: RecordType | undefined): Answer;
  isHealthy(healthCheckId: string): boolean;
}

export const route53: ServiceDefinition = {
  name: 'route-53',
  sdk: '@aws-sdk/client-route-53',
  global: true,
  controlPlane: 'us-east-1',
  create: createRoute53,
};

function createRoute53(home: Home): Route53Service {
  const answer = (name: string, type: RecordType | undefined) => lookUp(zones.answered(), canonicalName(name), type);
  const checks = new HealthChecks(home, (host) => addressOf(answer(host, 'A')));
  const zones = new Zones(home, { isHealthy: (id) => checks.isHealthy(id), random: home.world.random });
  return {
    operations: {
      ...zoneOperations(zones, (id) => checks.has(id)),
      ...healthOperations(home, checks),
      ...tagOperations(zones, checks),
    },
    resources: route53Resources(zones, checks),
    answer,
    isHealthy: (id) => checks.isHealthy(id),
    start: () => checks.start(),
    stop() {
      checks.stop();
      zones.stop();
    },
  };
}

function addressOf({ answers }: Answer): string | undefined {
  const record = answers.find(({ type }) => type === 'A');
  return record === undefined ? undefined : String(record.data);
}
