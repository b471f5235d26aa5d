/**
 * A year of what EventBridge Scheduler starts, on the virtual clock: the schedules of the synthesized assembly, each target
 * called when the plan says and asked for what its machine understands. Only the scheduler is real here: what the targets
 * then do, the seeds and the forty days of backups show.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import type * as z from 'zod';
import { configurationOf } from '../../config/index.ts';
import { BackupRequest } from '../../core/backup/contracts.ts';
import { StartRequest } from '../../core/incident/contracts.ts';
import { ReadinessRequest } from '../../core/readiness/contracts.ts';
import { createDeployer } from '../../local/assembly/deploy.ts';
import type { ResourceProvider } from '../../local/kernel.ts';
import { type Scheduler, scheduler } from '../../local/services/scheduler/index.ts';
import { VirtualClock } from '../../local/virtual/clock.ts';
import { type FakeHome, fakeHome } from '../local/services/fake-home.ts';

const { account, primary } = configurationOf('production');
const { region } = primary;
const [minute, day] = [60_000, 86_400_000];
const [start, end] = [Date.UTC(2027, 0, 1), Date.UTC(2028, 0, 1)];

const directory = mkdtempSync(join(tmpdir(), 'schedules-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A resource that is only referred to. */
function standIn(type: string): ResourceProvider {
  const named =
    type === 'AWS::StepFunctions::StateMachine' ? 'states' : type === 'AWS::Lambda::Function' ? 'lambda' : 'other';
  const kind = named === 'states' ? 'stateMachine' : named === 'lambda' ? 'function' : 'thing';
  return {
    create(properties, { logicalId }) {
      const name = String(properties.StateMachineName ?? properties.FunctionName ?? logicalId);
      const arn = `arn:aws:${named}:${region}:${account}:${kind}:${name}`;
      const attributes = new Proxy({}, { has: () => true, get: () => arn });
      return { ref: named === 'states' ? arn : name, attributes };
    },
  };
}

interface Fired {
  readonly at: number;
  /** The machine or function, without what all names begin with. */
  readonly target: string;
  readonly input: string | undefined;
}

/** Lets a year pass; what comes every few minutes is heard for its first week. */
async function live(): Promise<readonly Fired[]> {
  const clock = new VirtualClock(start);
  const fired: Fired[] = [];
  const home: FakeHome = Object.assign(fakeHome(), { account, region, clock: clock as never });
  home.call = async <O>(_service: string, operation: string, given: object) => {
    const input = given as { stateMachineArn?: string; FunctionName?: string; input?: string; Payload?: Buffer };
    if (operation !== 'AssumeRole') {
      const target =
        String(input.stateMachineArn ?? input.FunctionName)
          .split(':')
          .at(-1) ?? '';
      const text = input.input ?? input.Payload?.toString();
      fired.push({ at: clock.now(), target: target.replace(/^stocker-dr-production-/, ''), input: text });
    }
    return {} as O;
  };
  const service = scheduler.create(home) as Scheduler;
  const deployer = createDeployer({
    account,
    dataDirectory: directory,
    provider: (type, where) =>
      where === region
        ? ((service.resources as Record<string, ResourceProvider>)[type] ?? standIn(type))
        : standIn(type),
    ssmParameter: async () => '',
  });
  await deployer.deploy(inject('assemblies').production);
  service.start();
  await clock.pass(7 * day);
  const often = ['heartbeat', 'sentinel', 'progress', 'region-guard', 'cluster-watch'].map(
    (name) => `stocker-dr-production-${name}`,
  );
  for (const Name of often) service.operations.DeleteSchedule?.run({ Name }, {} as never);
  await clock.pass(end - minute - clock.now());
  service.stop();
  return fired;
}

const days = Array.from({ length: 365 }, (_, index) => new Date(start + index * day));
const at = (date: Date, hour: number) => date.getTime() + hour * 60 * minute;

describe('a year of schedules', async () => {
  const fired = await live();
  const timesOf = (target: string, mention = '') =>
    fired.filter((each) => each.target === target && (each.input ?? '').includes(mention)).map((each) => each.at);
  /** Every so many minutes, from the first on; nothing is left out and nothing comes twice. */
  const isEvery = (minutes: number, times: readonly number[], until: number) => {
    expect(times.length).toBeGreaterThanOrEqual(Math.floor((until - start) / (minutes * minute)) - 1);
    const steps = new Set(times.slice(1).map((time, index) => time - (times[index] ?? 0)));
    expect([...steps]).toEqual([minutes * minute]);
  };

  it('backs up every day at two, and proves every Sunday at three', () => {
    expect(timesOf('backup', '"backup"')).toEqual(days.map((date) => at(date, 2)));
    expect(timesOf('backup', '"prove"')).toEqual(
      days.filter((date) => date.getUTCDay() === 0).map((date) => at(date, 3)),
    );
  });

  it('drills on the first of every month at four', () => {
    const firsts = days.filter((date) => date.getUTCDate() === 1);
    expect(firsts).toHaveLength(12);
    expect(timesOf('database-recovery')).toEqual(firsts.map((date) => at(date, 4)));
  });

  it('rebuilds a cluster on the eighth of every quarter at five', () => {
    const eighths = days.filter((date) => date.getUTCDate() === 8 && date.getUTCMonth() % 3 === 0);
    expect(eighths).toHaveLength(4);
    expect(timesOf('cluster-recovery')).toEqual(eighths.map((date) => at(date, 5)));
  });

  it('records the zone and compares with Git every day at half past one', () => {
    expect(timesOf('configuration-watch-configuration')).toEqual(days.map((date) => at(date, 1.5)));
  });

  it('looks at readiness and backups every half hour, and sweeps twice as often', () => {
    isEvery(30, timesOf('readiness'), end);
    isEvery(30, timesOf('backup-watch-backups'), end);
    isEvery(15, timesOf('incident-clean-up-stopped'), end);
  });

  it('beats, guards and watches the cluster every minute, and looks for damage and tells of progress every five', () => {
    const week = start + 7 * day;
    isEvery(1, timesOf('database-write-heartbeat'), week);
    isEvery(1, timesOf('region-guard-database'), week);
    isEvery(1, timesOf('cluster-watch-cluster'), week);
    isEvery(5, timesOf('database-look-for-damage'), week);
    isEvery(5, timesOf('incident-report-progress'), week);
  });

  it('asks machines for what they understand, and starts nothing else', () => {
    const requests: Readonly<Record<string, z.ZodType>> = {
      backup: BackupRequest,
      readiness: ReadinessRequest,
      'database-recovery': StartRequest,
      'cluster-recovery': StartRequest,
    };
    const asked = new Map(fired.map(({ target, input }) => [`${target} ${input}`, { target, input }]));
    for (const [what, { target, input }] of asked)
      if (requests[target] !== undefined)
        expect(requests[target].safeParse(JSON.parse(input ?? '{}')).success, what).toBe(true);
    const functions = [
      ...[
        'backup-watch-backups',
        'cluster-watch-cluster',
        'configuration-watch-configuration',
        'database-look-for-damage',
      ],
      'database-write-heartbeat',
      ...['incident-clean-up-stopped', 'incident-report-progress', 'region-guard-database', 'readiness-wake-functions'],
    ];
    expect([...new Set(fired.map(({ target }) => target))].sort()).toEqual(
      [...Object.keys(requests), ...functions].sort(),
    );
  });
});
