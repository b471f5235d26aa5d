/** What shows damage, the sentinel's look and a validation's checks, and what each must find of every damage. */
import { lookForDamage } from '../../../core/database/look-for-damage.ts';
import type { DatabaseAddress, Sessions } from '../../../core/database/ports.ts';
import { withSession } from '../../../core/database/sql.ts';
import { CheckName, Tier, type Verdict } from '../../../core/validation/contracts.ts';
import { planPieces } from '../../../core/validation/plan-pieces.ts';
import { readCatalog } from '../../../core/validation/plan-validation.ts';
import { runCheck } from '../../../core/validation/run-check.ts';
import {
  FakeBaselines,
  FakeDatabases,
  FakeLooks,
  FakeMetrics,
  FakeProfiles,
  makePlan,
} from '../../core/database/fakes.ts';
import { type FakeControl, FakeIncidents, makeIncident, makeInstance, makeRecord } from '../../core/fakes.ts';
import { clock, type Damage, secrets, sentinel, settings } from './engines.ts';

const { region } = settings.primary;

/** Looks for damage in the database that is active there, and what it keeps. */
export const lookerOf = (sessions: Sessions, control: FakeControl) => {
  const kept = { baselines: new FakeBaselines(), looks: new FakeLooks(), profiles: new FakeProfiles() };
  const context = {
    ...{ settings, region, clock, secrets, sessions, lookSeconds: 20, metrics: new FakeMetrics() },
    ...{ control, databases: new FakeDatabases(makeInstance()) },
  };
  return { ...kept, look: () => lookForDamage({}, { ...context, ...kept }) };
};

/** The worst verdict of each check of both tiers. */
export const verdictsOf = async (sessions: Sessions, address: DatabaseAddress, baselines: FakeBaselines) => {
  const incidents = new FakeIncidents();
  const now = clock.now().toISOString();
  const incident = makeIncident({ detectedAt: now });
  await incidents.open(makeRecord({}, incident));
  const input = {
    incident,
    plan: makePlan({ restorePoint: now }),
    candidate: { identifier: 'copy', resourceId: 'db-COPY', ...address },
  };
  const context = { settings, clock, secrets, sessions, baselines, incidents };
  const catalog = await withSession(sessions, address, sentinel, readCatalog);
  const found: Partial<Record<CheckName, Verdict>> = {};
  for (const tier of Tier.options)
    for (const work of planPieces(catalog, settings.validation, tier)) {
      const { verdict } = (await runCheck({ ...input, work }, context)).output;
      if (found[work.check] !== 'failed' && verdict !== 'passed') found[work.check] = verdict;
      else found[work.check] ??= verdict;
    }
  return found;
};

export const allPassed = Object.fromEntries(CheckName.options.map((check) => [check, 'passed']));

const rotten = 'XX001 invalid page';
export const damages: { case: string; damage: Damage; found: string[]; fails: CheckName[] }[] = [
  {
    case: 'a dropped table',
    damage: 'drop-table',
    found: ['stocker.order_line: 42P01 relation "stocker.order_line" does not exist', 'stocker.order_line: it is gone'],
    fails: ['row-floors', 'query'],
  },
  {
    case: 'an inconsistent update',
    damage: 'bad-update',
    found: ['stock equals the sum of its movements: 160, expected 0'],
    fails: ['query'],
  },
  {
    case: 'a dropped column',
    damage: 'bad-migration',
    found: [
      'stocker.stock_movement: its definition changed',
      'stocker.stock_movement: rows up to key 2000 were rewritten',
    ],
    fails: ['content-hash'],
  },
  {
    case: 'a rotten page of a table',
    damage: 'heap-page',
    found: [
      `stocker.stock_movement: ${rotten}`,
      `stock equals the sum of its movements: ${rotten}`,
      `stocker.stock_movement: ${rotten}`,
      `stocker.stock_movement_pkey: ${rotten}`,
      `stocker.stock_movement_product: ${rotten}`,
    ],
    fails: [
      'row-floors',
      'foreign-key',
      'query',
      'heap-scan',
      'cross-count',
      'heap-verify',
      'index-verify',
      'content-hash',
    ],
  },
  {
    case: 'a rotten page of an index',
    damage: 'index-page',
    found: [`stocker.stock_movement: ${rotten}`, `stocker.stock_movement_pkey: ${rotten}`],
    fails: ['cross-count', 'index-verify'],
  },
];
