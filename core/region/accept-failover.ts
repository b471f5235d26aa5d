/** The first state of region-failover and region-failback: refuses what is bad or dangerous before anything is touched. It only reads. */

import type { Databases } from '../database/ports.ts';
import {
  begunBy,
  deferScheduledDrill,
  refuseRepeated,
  refuseSecond,
  requireOwnCutOver,
  takenUpAgain,
} from '../incident/accept-request.ts';
import {
  type ActiveDatabase,
  type Execution,
  type Incident,
  type StartRequest,
  Style,
  Waiver,
} from '../incident/contracts.ts';
import { ActiveDatabaseUnknown, DrillElsewhere } from '../incident/errors.ts';
import { databaseAlarmPrefix, regionAlarmPrefix, requestKey } from '../incident/identifiers.ts';
import { formatSeconds, secondsBetween } from '../incident/moments.ts';
import { invalidRequest, type Problem, parseRequest } from '../incident/parse-request.ts';
import type { Alarms, Clock, ControlStore, Executions, IncidentStore } from '../incident/ports.ts';
import { findRetried } from '../incident/retry.ts';
import { maximumEventAgeSeconds } from '../incident/triage.ts';
import type { ReadinessRun } from '../readiness/contracts.ts';
import type { RegionSettings, Settings } from '../settings.ts';
import { findOwnCutOver } from './own-cut-over.ts';

export interface AcceptFailoverContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase' | 'readLease'>;
  readonly executions: Pick<Executions, 'status'>;
  readonly incidents: Pick<IncidentStore, 'findByRequest' | 'read'>;
  readonly alarms: Pick<Alarms, 'ringing' | 'state'>;
  readonly databases: Pick<Databases, 'find'>;
}

/** `away`: from the primary Region to the DR Region; `home`: back. */
export type Direction = 'away' | 'home';

interface Asked {
  readonly request: unknown;
  readonly execution: Execution;
  readonly direction: Direction;
}

export interface Accepted {
  readonly incident: Incident;
  /** What is looked at live before anything is decided. */
  readonly run: ReadinessRun;
}

/** Throws InvalidRequest, DuplicateRequest, RecoveryInProgress, DrillElsewhere, DrillDeferred or ActiveDatabaseUnknown. */
export async function acceptFailover(
  { request: raw, execution, direction }: Asked,
  context: AcceptFailoverContext,
): Promise<Accepted> {
  const { settings, here, clock } = context;
  const now = clock.now().toISOString();
  const { request, style, waiver } = parseFailover(raw, direction, now, settings);
  const active = await context.control.readActiveDatabase();
  if (!active) throw ActiveDatabaseUnknown(`No active database is registered in ${settings.environment}`);
  requirePlace(request, active, direction, here);
  const retried =
    request.incident === undefined
      ? undefined
      : await findRetried(request.incident, request, { ...context, scenario: 'region' });
  await requireElsewhere(active, retried, direction, context);
  await refuseStaleAlarm(request, now, context);
  const key = requestKey(request, execution.arn);
  if (retried === undefined) await refuseRepeated(key, request, execution, context);
  await refuseSecond(request, execution, { ...context, executions: lenient(context) });
  await deferScheduledDrill(request, context, [databaseAlarmPrefix, regionAlarmPrefix]);
  const incident: Incident = retried
    ? { ...takenUpAgain(retried, request, execution), waiver }
    : {
        ...begunBy(request, execution, { settings, here, scenario: 'region', target: active.identifier }),
        style,
        ...(waiver === undefined ? {} : { waiver }),
      };
  const run: ReadinessRun = {
    id: incident.id,
    executionArn: execution.arn,
    startedAt: execution.startedAt,
    region: here.region,
    activeRegion: active.region,
    database: { identifier: active.identifier, resourceId: active.resourceId },
    permissions: 'when-due',
  };
  return { run, incident };
}

interface Parsed {
  readonly request: StartRequest;
  readonly style: NonNullable<Incident['style']>;
  readonly waiver: Waiver | undefined;
}

/** As every request is read, with what only a Region has: a style, and a waiver from the start. */
function parseFailover(raw: unknown, direction: Direction, now: string, settings: Settings): Parsed {
  const { style = defaultStyle(direction), waiver, ...rest } = fieldsOf(raw);
  const foreign = (['target', 'restoreTo', 'scope'] as const).flatMap((field): Problem[] =>
    rest[field] === undefined
      ? []
      : [{ field, value: rest[field], problem: 'is not for a Region', fix: 'Leave it out: all of production moves.' }],
  );
  const problems = [...foreign, ...styleProblems(style, direction), ...waiverProblems(waiver)];
  if (problems.length > 0) throw invalidRequest(problems);
  const mustNameStarter = !settings.approval.starterMayApprove;
  const request = parseRequest(rest, { environment: settings.environment, now, mustNameStarter });
  if (direction === 'home' && request.mode === 'drill')
    throw invalidRequest([
      {
        field: 'mode',
        value: request.mode,
        problem: 'is no failback: nothing is rehearsed by coming home',
        fix: `Set "mode": "recovery" and "confirm": "${settings.environment}".`,
      },
    ]);
  return { request, style: Style.parse(style), waiver: waiver === undefined ? undefined : Waiver.parse(waiver) };
}

/** What is no object is the common parser's to refuse. */
function fieldsOf(raw: unknown): Readonly<Record<string, unknown>> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw) ? { ...raw } : { input: raw };
}

/** A person who says nothing means a Region that is lost; who comes home does so with the help of both. */
const defaultStyle = (direction: Direction) => (direction === 'home' ? 'graceful' : 'ungraceful');

function styleProblems(style: unknown, direction: Direction): Problem[] {
  const field = 'style';
  if (!Style.safeParse(style).success)
    return [{ field, value: style, problem: 'is no style', fix: 'Use "graceful" or "ungraceful".' }];
  if (direction === 'home' && style !== 'graceful')
    return [{ field, value: style, problem: 'is no way home', fix: 'Leave it out: a failback is graceful.' }];
  return [];
}

function waiverProblems(waiver: unknown): Problem[] {
  if (waiver === undefined || Waiver.safeParse(waiver).success) return [];
  return [
    {
      field: 'waiver',
      value: waiver,
      problem: 'does not say what is waived, by whom and why',
      fix: 'Give {"checks": ["primary-lost"], "by": "<who answers for it>", "reason": "<one sentence>"}.',
    },
  ];
}

function requirePlace(request: StartRequest, active: ActiveDatabase, direction: Direction, here: RegionSettings): void {
  const role = direction === 'away' ? 'dr' : 'primary';
  const isScheduled = request.mode === 'drill' && request.trigger.kind === 'schedule';
  if (isScheduled && (here.role !== role || active.region === here.region))
    throw DrillElsewhere(`The active database is in ${active.region}: this Region has nothing to rehearse`);
  const refuse = (problem: string, fix: string) =>
    invalidRequest([{ field: 'region', value: here.region, problem, fix }]);
  if (here.role !== role)
    throw refuse(
      direction === 'away' ? 'is the primary Region, to which production comes home' : 'is the DR Region',
      direction === 'away'
        ? 'Start region-failback here, or region-failover in the DR Region.'
        : 'Start region-failback in the primary Region.',
    );
}

/** Production is where it is to be moved from; or was brought here by the very incident that is taken up again. */
async function requireElsewhere(
  active: ActiveDatabase,
  retried: Incident | undefined,
  direction: Direction,
  context: AcceptFailoverContext,
): Promise<void> {
  const { here } = context;
  if (retried !== undefined && (await findOwnCutOver(retried, active, context)) !== undefined) return;
  if (active.region === here.region)
    throw invalidRequest([
      {
        field: 'region',
        value: here.region,
        problem: `is active already: ${active.identifier} is production here since ${active.since}`,
        fix: `${direction === 'away' ? 'To go back: npm run dr -- failback.' : 'There is nothing to bring home.'} Where the incident that brought it here failed: npm run dr -- retry <incident>.`,
      },
    ]);
  // What the incident promoted then is behind what became production since.
  if (retried !== undefined && retried.target !== active.identifier) requireOwnCutOver(retried, active, undefined);
}

/** An alarm of hours ago, delivered now, must not move production (aws-facts). */
async function refuseStaleAlarm(
  { trigger }: StartRequest,
  now: string,
  { alarms }: AcceptFailoverContext,
): Promise<void> {
  if (trigger.kind !== 'alarm' || trigger.name === undefined) return;
  const age = trigger.at === undefined ? 0 : secondsBetween(trigger.at, now);
  const state = await alarms.state(trigger.name);
  const refuse = (problem: string) =>
    invalidRequest([
      { field: 'trigger', value: trigger, problem, fix: 'Look at the primary; a person starts what is needed.' },
    ]);
  if (age > maximumEventAgeSeconds)
    throw refuse(`is ${formatSeconds(age)} old, older than ${formatSeconds(maximumEventAgeSeconds)}`);
  if (state?.value !== 'ALARM') throw refuse(`does not ring any more: it is ${state?.value ?? 'gone'}`);
}

/** Nothing is known of an execution in a Region that does not answer: TakeLease takes it from there. */
const lenient = ({ here, executions }: AcceptFailoverContext): AcceptFailoverContext['executions'] => ({
  status: (arn) =>
    executions.status(arn).catch((error: unknown) => {
      if (arn.split(':')[3] !== here.region) return undefined;
      throw error;
    }),
});
