import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { findConflicts } from '../../config/conflicts.ts';
import { environments } from '../../config/index.ts';
import { kubernetesGroup, namesOf } from '../../config/names.ts';
import { production } from '../../config/production.ts';
import { Configuration } from '../../config/schema.ts';
import { staging } from '../../config/staging.ts';
import { maximumEventAgeSeconds } from '../../core/incident/triage.ts';
import { recoveryAccessManifests } from '../../workload/kubernetes/manifests.ts';
import { codeSpans, fences, markdownFiles, markedTable, read, tableRows } from './repository.ts';

interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}
const fieldsOf = (schema: JsonSchema, path = ''): string[] =>
  schema.properties
    ? Object.entries(schema.properties).flatMap(([name, member]) => fieldsOf(member, path ? `${path}.${name}` : name))
    : [path];
const valueAt = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], value);
const documentedAs = (value: unknown) =>
  value === undefined ? '–' : typeof value === 'object' ? 'listed' : `\`${String(value)}\``;
const hours = (seconds: number) => `${seconds / 3600} h`;
const minutesOrHours = (seconds: number) => (seconds < 3600 ? `${seconds / 60} min` : hours(seconds));

const sweepMinutes = Number(/sweepMinutes = (\d+)/.exec(read('lib/constructs/database/database-schedules.ts'))?.[1]);

describe('docs/configuration.md', () => {
  const rows = markedTable(read('docs/configuration.md'), 'fields');
  const fields = fieldsOf(z.toJSONSchema(Configuration) as JsonSchema);

  it('documents every field, once, in the schema’s order', () => {
    expect(rows.map(([field]) => field)).toEqual(fields.map((field) => `\`${field}\``));
  });
  it.each(rows.map(([field = '', , inProduction, inStaging]) => ({ field, inProduction, inStaging })))(
    '$field has the values of the environments',
    ({ field, inProduction, inStaging }) => {
      const path = field.replaceAll('`', '');
      expect([inProduction, inStaging]).toEqual([production, staging].map((each) => documentedAs(valueAt(each, path))));
    },
  );
  it.each([
    { case: 'RPO', change: { objectives: { ...production.objectives, rpoSeconds: 299 } }, limit: '300 s' },
    { case: 'TTL', change: { traffic: { ...production.traffic, ttlSeconds: 61 } }, limit: '60 s' },
    {
      case: 'replicated backups',
      change: {
        objectives: { ...production.objectives, rpoSeconds: 1799, rtoSeconds: 7200 },
        database: { ...production.database, regionProtection: 'automated-backups' as const },
      },
      limit: '1800 s',
    },
  ])('names the limit at which $case is refused', ({ change, limit }) => {
    expect(findConflicts(production)).toEqual([]);
    expect(findConflicts({ ...production, ...change })).not.toEqual([]);
    expect(read('docs/configuration.md')).toContain(limit);
  });
});

describe('README.md', () => {
  it.each([
    { row: 'RTO', of: ({ objectives }: typeof production) => hours(objectives.rtoSeconds) },
    { row: 'RPO', of: ({ objectives }: typeof production) => minutesOrHours(objectives.rpoSeconds) },
    { row: 'Daily backups kept', of: ({ objectives }: typeof production) => `${objectives.dailyBackupsKept}` },
    {
      row: 'RDS automated backups',
      of: ({ objectives }: typeof production) => `${objectives.automatedBackupRetentionDays} days`,
    },
  ])('states the objective $row', ({ row, of }) => {
    const documented = tableRows(read('README.md')).find(
      ([first, second]) => first === row && second === of(production),
    );
    expect(documented).toEqual([row, of(production), of(staging)]);
  });
  it('says what an alarm starts: in production a recovery that asks, in staging nothing', () => {
    expect(Object.values(environments).map(({ automatic }) => automatic.database)).toEqual(['ask', 'off']);
    expect(read('README.md')).toContain('(`automatic.database`: `ask` in production, `off` in staging)');
    expect(read('docs/deploy.md')).toContain('with `ask`, as in Git for production');
  });
});

describe('docs/architecture.md', () => {
  it('names the age at which events are dropped', () => {
    expect(read('docs/architecture.md')).toContain(`older than ${maximumEventAgeSeconds / 60} minutes`);
  });
  it('names how often the sweep looks', () => {
    expect(read('docs/architecture.md')).toContain(`a sweep every ${sweepMinutes} minutes`);
  });
});

describe('docs/deploy.md', () => {
  const deploy = read('docs/deploy.md');
  const month = 30 * 24 * 60;

  it.each([
    { what: 'Heartbeat', minutes: production.schedules.heartbeatMinutes },
    { what: 'Sentinel', minutes: production.schedules.sentinelMinutes },
    { what: 'Sweep', minutes: sweepMinutes },
  ])('counts the invocations of $what', ({ what, minutes }) => {
    const [, quantity = ''] = tableRows(deploy).find(([first]) => first === what) ?? [];
    expect(quantity).toContain(`${(month / minutes).toLocaleString('en')} invocations in 30 days`);
  });
  it('counts the alarms that have a runbook', () => {
    const runbooks = markdownFiles.filter((file) => file.startsWith('docs/runbooks/'));
    const headings = runbooks.flatMap((file) => read(file).match(/^## /gm) ?? []);
    expect(deploy).toContain(`${headings.length} alarms`);
  });
  it('lists every parameter that is read', () => {
    const { application, canary } = production;
    const parameters = [application, canary].flatMap((each) => [each.urlParameter, each.databaseEndpointParameter]);
    expect(codeSpans(deploy)).toEqual(expect.arrayContaining(parameters));
  });
  it('grants in the cluster what the rehearsal grants', () => {
    const [yaml = ''] = fences(deploy, 'yaml');
    const documents = parseAllDocuments(yaml).map((document) => document.toJS());
    expect(documents).toEqual(recoveryAccessManifests(production.canary.deployment.namespace, kubernetesGroup));
  });
  it('names stacks, machine and bucket as they are called', () => {
    const names = namesOf(production);
    for (const region of [production.primary.region, production.dr.region])
      expect(deploy).toContain(names.stack(region));
    expect(deploy).toContain(names.stateMachineArn(production.primary.region, 'database-recovery'));
    expect(deploy).toContain(names.evidenceBucket(production.primary.region));
  });
});
