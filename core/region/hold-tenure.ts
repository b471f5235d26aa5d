/**
 * Strict fencing, in the primary Region (docs/decisions/0033). Every minute the guard renews production's tenure in the DR
 * Region, and then the date up to which the application may log in. When it has not got through for so long as a tenure
 * lasts, it fences production and proves it: from then on the DR Region may take over without ever making two that take
 * writes. When it gets through again, and production is still production, it opens it.
 */
import { DatabaseNotReady } from '../database/errors.ts';
import { expiryAfter, liftExpiry, renewExpiry } from '../database/expiry.ts';
import { closeTo, fenceLogins, openTo, proveRefused, proveWrite, type Target } from '../database/fence.ts';
import type { Databases, Secrets, Session, Sessions } from '../database/ports.ts';
import { messageOf, withSession } from '../database/sql.ts';
import { type ActiveDatabase, recordVersion } from '../incident/contracts.ts';
import { formatSeconds, secondsBetween } from '../incident/moments.ts';
import type { Announcer, Clock, ControlStore } from '../incident/ports.ts';
import type { RegionSettings, Settings } from '../settings.ts';
import type { TenureMemory } from './contracts.ts';
import { answeringDatabases, openSince } from './open-databases.ts';
import type { TenureMemories, Tenures } from './ports.ts';
import type { Strict } from './tenure.ts';

export interface TenureContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'confirmActiveDatabase'>;
  readonly databases: Pick<Databases, 'list'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
  readonly tenures: Pick<Tenures, 'renew'>;
  readonly memories: TenureMemories;
  readonly announcer: Announcer;
}

type Fenced = TenureMemory['fenced'][number];

/** Undefined where nobody fences himself: by the configuration, and in the DR Region, which cannot be cut off from itself. */
function strictHere({ settings, here }: TenureContext): Strict | undefined {
  const { fencing } = settings.region;
  return fencing.mode === 'strict' && here.role === 'primary' ? fencing : undefined;
}

/**
 * Production is here, and the DR Region says so. The renewal bears the time before it was asked for, so that what is
 * remembered here never ends later than what the DR Region waits for.
 */
export async function holdTenure(active: ActiveDatabase, context: TenureContext): Promise<void> {
  const { here, clock, tenures, memories } = context;
  const strict = strictHere(context);
  if (strict === undefined) return leaveTenure(active, context);
  const renewedAt = clock.now().toISOString();
  const { epoch } = active;
  const known = await memories.read();
  const memory: TenureMemory = {
    ...{ version: recordVersion, renewedAt, active: instanceOf(active), isDated: true },
    fenced: [...(known?.fenced ?? [])],
  };
  // The very first: a renewal that nobody here remembers would never end here.
  if (known === undefined) await memories.write(memory);
  const renewed = await tenures
    .renew({ version: recordVersion, region: here.region, epoch, renewedAt })
    .catch((cause: unknown) => ({ cause }));
  if (renewed === false) return giveUpTenure('a failover in the DR Region has ended the tenure', context);
  if (renewed !== true) {
    await giveUpTenure(renewed.cause, context);
    throw renewed.cause;
  }
  await memories.write(memory);
  const expiry = expiryAfter(renewedAt, strict.tenureSeconds);
  await reopen(active, memory, expiry, context);
  await inProduction(active, context, (session, roles) => renewExpiry(session, roles, expiry));
}

/** Strict fencing was given up: nobody renews the date that the roles carry from then. */
async function leaveTenure(active: ActiveDatabase, context: TenureContext): Promise<void> {
  const { here, memories } = context;
  if (here.role !== 'primary') return;
  const memory = await memories.read();
  if (!memory?.isDated) return;
  if (await inProduction(active, context, liftExpiry)) await memories.write({ ...memory, isDated: false });
}

/** False where the database does not answer: it admits nobody either, and the next minute looks again. */
async function inProduction(
  active: ActiveDatabase,
  { settings, secrets, sessions }: TenureContext,
  use: (session: Session, roles: readonly string[]) => Promise<void>,
): Promise<boolean> {
  const { master, logins } = await fenceLogins(settings, secrets);
  const roles = logins.map(({ username }) => username);
  try {
    await withSession(sessions, { ...active, database: settings.database.name }, master, (session) =>
      use(session, roles),
    );
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === DatabaseNotReady.definition.name) return false;
    throw error;
  }
}

const instanceOf = ({ identifier, resourceId, address, port }: Fenced): Fenced => ({
  identifier,
  resourceId,
  address,
  port,
});

/** Throws where something could not be fenced; the next minute tries again. Where nobody ever asked for a tenure, nothing is given up. */
export async function giveUpTenure(why: unknown, context: TenureContext): Promise<void> {
  const strict = strictHere(context);
  if (strict === undefined) return;
  const { clock, memories, announcer } = context;
  // What cannot be remembered may be over.
  const memory = await memories.read().catch((): 'unknown' => 'unknown');
  if (memory === undefined) return;
  const now = clock.now().toISOString();
  if (memory !== 'unknown' && secondsBetween(memory.renewedAt, now) < strict.tenureSeconds) return;
  const fenced: Fenced[] = [];
  const failures: unknown[] = [];
  for (const instance of await standing(memory, context)) {
    try {
      if (await fenceSelf(instance, memory, fenced, context)) fenced.push(instance);
    } catch (error) {
      failures.push(error);
    }
  }
  if (fenced.length > 0)
    await announcer.announce(undefined, {
      kind: 'triage',
      headline: `Production stopped: its tenure of ${formatSeconds(strict.tenureSeconds)} is over`,
      lines: [
        `${fenced.map(({ identifier }) => identifier).join(', ')} takes no writes since ${clock.now().toISOString()}: fencing is strict, and a failover may begin there`,
        `The DR Region ${context.settings.dr.region}: ${messageOf(why)}`,
      ],
      next: 'Mend the way between the Regions: production opens again by itself. If the DR Region itself is lost, docs/runbooks/region.md says how to go on without it.',
    });
  if (failures.length > 0) throw failures[0];
}

/** As RDS lists them; where it does not answer either, what was production when it was last known. */
async function standing(memory: TenureMemory | 'unknown', context: TenureContext): Promise<Fenced[]> {
  try {
    return (await answeringDatabases(context.settings, context.databases)).flatMap(
      ({ identifier, resourceId, address, port }) =>
        address === undefined || port === undefined ? [] : [{ identifier, resourceId, address, port }],
    );
  } catch (error) {
    if (memory === 'unknown') throw error;
    return [memory.active];
  }
}

/** False where it was fenced before: by this guard, or by a recovery, whose fence is that one's to lift. */
async function fenceSelf(
  instance: Fenced,
  memory: TenureMemory | 'unknown',
  fenced: readonly Fenced[],
  context: TenureContext,
): Promise<boolean> {
  const { settings, secrets, sessions, memories } = context;
  const target: Target = { ...instance, database: settings.database.name };
  const { master, logins } = await fenceLogins(settings, secrets);
  return withSession(sessions, target, master, async (session) => {
    const roles = logins.map(({ username }) => username);
    if ((await openSince(session, roles)) === undefined) return false;
    // Before the act: who dies behind it leaves a fence that nobody would lift. Once: who died behind it goes on to the act.
    const isNew = ({ resourceId }: Fenced) =>
      memory !== 'unknown' && !memory.fenced.some((each) => each.resourceId === resourceId);
    if (memory !== 'unknown' && isNew(instance))
      await memories.write({ ...memory, fenced: [...memory.fenced, ...fenced.filter(isNew), instance] });
    const opened = { session, sessions, target, master };
    await closeTo(opened, logins, settings, { prepared: 'keep', setPasswords: false });
    for (const login of logins) await proveRefused(sessions, target, login);
    return true;
  });
}

/**
 * Opens what this guard fenced, if it is production by the record in the DR Region. The epoch is raised first: whatever was
 * planned meanwhile, a recovery that fenced it too or a failover, comes too late.
 */
async function reopen(
  active: ActiveDatabase,
  memory: TenureMemory,
  expiry: string,
  context: TenureContext,
): Promise<void> {
  const { settings, secrets, sessions, control, memories, announcer } = context;
  if (memory.fenced.length === 0) return;
  const own = memory.fenced.find(({ resourceId }) => resourceId === active.resourceId);
  if (own !== undefined) {
    if (!(await control.confirmActiveDatabase(active)))
      throw DatabaseNotReady(`Which database is production was changed while ${active.identifier} was to be opened.`);
    const target: Target = { ...instanceOf(active), database: settings.database.name };
    const { master, logins } = await fenceLogins(settings, secrets);
    const roles = logins.map(({ username }) => username);
    await withSession(sessions, target, master, (session) =>
      openTo({ session, sessions, target, master }, roles, { resumeJobs: true, expiry }),
    );
    for (const login of logins) await proveWrite(sessions, target, login);
  }
  // What is not production any more stays fenced.
  await memories.write({ ...memory, fenced: [] });
  if (own === undefined) return;
  await announcer.announce(undefined, {
    kind: 'triage',
    headline: `Production takes writes again: the DR Region ${settings.dr.region} is reached`,
    lines: [`${active.identifier} was closed because its tenure was over, and is production still, by the DR Region`],
    next: 'Look whether the way between the Regions is stable; nothing has to be done.',
  });
}
