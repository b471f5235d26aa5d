/**
 * RepairTables: named tables of the living production get back what the copy holds of them, and everything else stays as
 * it is. Once for an incident and a restore point.
 */
import { RecoveryError } from '../../errors.ts';
import type { Incident } from '../../incident/contracts.ts';
import { formatSeconds } from '../../incident/moments.ts';
import type { ControlStore } from '../../incident/ports.ts';
import type { Settings } from '../../settings.ts';
import type { StepResult } from '../../step.ts';
import type { Candidate, Repair, RestorePlan } from '../contracts.ts';
import { LeaseLost, RepairRefused } from '../errors.ts';
import type { Baselines, CopySession, CopySessions, DatabaseAddress, Secrets } from '../ports.ts';
import { lineageOf, restoreOf } from '../restore-database.ts';
import { addressOf, isAnswered, messageOf, whileConnected } from '../sql.ts';
import { readDefinition, settle, type TableDefinition } from './definition.ts';
import { readForeignKeys } from './dependants.ts';
import { beginLocked, type LockPatience } from './lock.ts';
import { type Staged, stage } from './merge.ts';
import { findRepair, keepRepair, prepareRecord } from './record.ts';
import { refuseObstacles, repair } from './transaction.ts';

export interface RepairContext {
  readonly settings: Settings;
  readonly control: Pick<ControlStore, 'readActiveDatabase' | 'readLease'>;
  readonly baselines: Pick<Baselines, 'atOrBefore'>;
  readonly secrets: Secrets;
  readonly copySessions: CopySessions;
  /** Bounds every statement, a COPY among them. */
  readonly statementSeconds: number;
  readonly locking: LockPatience;
}

interface RepairInput {
  readonly incident: Incident;
  readonly plan: RestorePlan;
  readonly candidate: Candidate;
}

/**
 * Returns production, on which the application is validated next. Throws RepairRefused or TablesLocked with nothing
 * changed, LeaseLost where production is not the plan's any more.
 */
export async function repairTables(input: RepairInput, context: RepairContext): Promise<StepResult<Candidate>> {
  const { incident, plan, candidate } = input;
  const { restorePoint } = restoreOf(plan);
  const target = productionOf(plan, context.settings);
  await requireProduction(input, context.control);
  return withCopySession(target, context, async (production) => {
    await prepareRecord(production);
    const done = await findRepair(production, incident.id, restorePoint);
    if (done !== undefined) return resultOf(target, done, restorePoint, 'was repaired by this incident before');
    const made = await withCopySession(addressOf(candidate), context, (copy) =>
      orRefused(() => repairFrom(copy, production, input, context)),
    );
    return resultOf(target, made, restorePoint, 'is repaired');
  });
}

function productionOf({ source }: RestorePlan, { database }: Settings): Candidate {
  const { identifier, resourceId, address, port } = source;
  if (address === undefined || port === undefined)
    throw RepairRefused(`${identifier} has no endpoint: there is nothing to repair in place.`);
  return { identifier, resourceId, address, port, database: database.name };
}

/** As the master, whose tables they are; settled. Throws DatabaseNotReady where the connection is lost. */
async function withCopySession<T>(
  { address, port, database }: DatabaseAddress,
  { settings, secrets, copySessions, statementSeconds }: RepairContext,
  use: (session: CopySession) => Promise<T>,
): Promise<T> {
  const master = await secrets.credentials(settings.database.masterSecretName);
  const options = { statementTimeoutMs: statementSeconds * 1000, applicationName: 'stocker-dr-repair' };
  return whileConnected({ address }, async () => {
    const session = await copySessions.open({ address, port, database }, master, options);
    try {
      await settle(session);
      return await use(session);
    } finally {
      await session.close();
    }
  });
}

/** The lease is this execution's, and production is where the plan found it. */
async function requireProduction(
  { incident, plan }: Pick<RepairInput, 'incident' | 'plan'>,
  control: RepairContext['control'],
): Promise<void> {
  const [lease, active] = await Promise.all([control.readLease(), control.readActiveDatabase()]);
  if (lease?.executionArn !== incident.executionArn)
    throw LeaseLost(`The lease is held by ${lease?.incidentId ?? 'nobody'}, not by ${incident.id}.`);
  if (active?.resourceId !== plan.source.resourceId || active.epoch !== plan.epoch)
    throw LeaseLost(
      `Production is ${active?.identifier ?? 'unknown'} at epoch ${active?.epoch ?? 'none'}; the plan was made for ${plan.source.identifier} at ${plan.epoch}.`,
    );
}

/** What PostgreSQL judged is no reason to try again; a lost connection is. */
async function orRefused<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof RecoveryError || !isAnswered(cause)) throw cause;
    const detail = cause instanceof Error && 'detail' in cause && cause.detail ? ` (${cause.detail})` : '';
    throw RepairRefused(`PostgreSQL refused: ${messageOf(cause)}${detail}.`, { cause });
  }
}

async function repairFrom(
  copy: CopySession,
  production: CopySession,
  input: RepairInput,
  { settings, control, baselines, locking }: RepairContext,
): Promise<Repair> {
  const { incident, plan } = input;
  const { restorePoint } = restoreOf(plan);
  const staged: Staged[] = [];
  for (const definition of await definitionsIn(copy, plan))
    staged.push(await stage(copy, production, definition, staged.length));
  const baseline = await baselines.atOrBefore(restorePoint, lineageOf(plan));
  await beginLocked(production, await toLock(copy, production, staged), locking);
  try {
    const made = await repair({ copy, production, staged, settings, baseline });
    await keepRepair(production, incident.id, restorePoint, made);
    await requireProduction(input, control);
    await production.query('commit');
    return made;
  } catch (cause) {
    await production.query('rollback').catch(() => undefined);
    throw cause;
  }
}

async function definitionsIn(copy: CopySession, { scope, candidate }: RestorePlan): Promise<TableDefinition[]> {
  const definitions: TableDefinition[] = [];
  for (const table of scope?.tables ?? []) {
    const definition = await readDefinition(copy, table);
    if (definition === undefined)
      throw RepairRefused(`${table} is not in ${candidate}: it was made after the restore point, or gone before it.`);
    refuseObstacles(definition, candidate);
    // The same table may be written in two ways.
    if (!definitions.some(({ name }) => name === definition.name)) definitions.push(definition);
  }
  if (definitions.length === 0) throw RepairRefused('The plan names no tables.');
  return definitions;
}

/** The tables, and those at the other end of their foreign keys, as far as production has them. */
async function toLock(copy: CopySession, production: CopySession, staged: readonly Staged[]) {
  const names = staged.map(({ definition }) => definition.name);
  const keys = [...(await readForeignKeys(copy, names)), ...(await readForeignKeys(production, names))];
  const around = new Set(keys.flatMap(({ child, parent }) => [child, parent]));
  const present = async (tables: readonly string[]) => {
    const rows = await production.query('select to_regclass(name)::text as name from unnest($1::text[]) name', [
      tables,
    ]);
    return rows.flatMap(({ name }) => name ?? []);
  };
  return {
    repaired: await present(names),
    dependants: await present([...around].filter((name) => !names.includes(name))),
  };
}

function resultOf(production: Candidate, made: Repair, restorePoint: string, how: string): StepResult<Candidate> {
  const tables = made.tables.map(
    ({ table, recreated, putBack, changed, kept }) =>
      `${table}${recreated ? ' made anew' : ''}: ${putBack} rows put back, ${changed} changed, ${kept} newer ones kept`,
  );
  return {
    output: production,
    summary: `${production.identifier} ${how} as of ${restorePoint}: ${tables.join('; ')}; locked for ${formatSeconds(made.lockedSeconds)}`,
    facts: { restorePoint, repair: made },
  };
}
