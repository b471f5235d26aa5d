import { afterEach, describe, expect, it } from 'vitest';
import { clientsOf } from '../../cli/clients.ts';
import { objectionsIn, objectionsTo } from '../../cli/commands/deploy.ts';
import { namesOf } from '../../config/names.ts';
import { production } from '../../config/production.ts';
import type { Lease } from '../../core/incident/contracts.ts';
import type { Latch } from '../../core/region/contracts.ts';
import { type Cloud, startCloud } from '../../local/cloud.ts';

const latch = (name: Latch['name'], on: boolean): Latch => ({
  ...{ version: 1, name, on },
  ...{ since: '2026-11-28T12:00:00.000Z', incidentId: 'recovery-1' },
});
const lease: Lease = {
  ...{ version: 1, incidentId: 'recovery-1', executionArn: 'arn:1', region: 'us-west-2', mode: 'recovery' },
  ...{ scenario: 'region', takenAt: '2026-11-28T11:50:00.000Z' },
};

describe('a deployment', () => {
  it('may go on while nothing is held, nor has been', () => {
    expect(objectionsTo({ lease: undefined, latches: [] }, 'us-west-2')).toEqual([]);
    const off = [latch('traffic', false), latch('drill-traffic', false)];
    expect(objectionsTo({ lease: undefined, latches: off }, 'us-west-2')).toEqual([]);
  });
  it('is refused while the latch holds traffic, and says how it ends', () => {
    const [objection, ...more] = objectionsTo({ lease: undefined, latches: [latch('traffic', true)] }, 'us-west-2');
    expect(objection).toMatch(/held traffic on us-west-2 since 2026-11-28T12:00.*recovery-1.*dr -- failback/);
    expect(more).toEqual([]);
  });
  it('is refused while a drill holds its record, and while a recovery runs', () => {
    const objections = objectionsTo({ lease, latches: [latch('drill-traffic', true)] }, 'us-west-2');
    expect(objections).toEqual([
      expect.stringMatching(/A drill has held its record/),
      expect.stringMatching(/recovery-1 has been at work since/),
    ]);
  });
});

describe('by the records of the DR Region', () => {
  let cloud: Cloud | undefined;
  afterEach(() => cloud?.stop());

  it('passes before there are any, and rejects where nobody answers', async () => {
    const regions = [production.primary.region, production.dr.region];
    cloud = await startCloud({ assemblies: [], account: production.account, regions });
    const credentials = { accessKeyId: 'operator', secretAccessKey: 'operator' };
    const dr = clientsOf({ endpoint: cloud.endpoint, credentials }, production.dr.region);
    const operator = { configuration: production, names: namesOf(production), dr };
    expect(await objectionsIn(operator)).toEqual([]);
    await cloud.goDark(production.dr.region);
    await expect(objectionsIn(operator)).rejects.toThrow();
  });
});
