/** The names that everything of an incident derives from; the same input always yields the same name. */
import { createHash } from 'node:crypto';
import type { Settings } from '../settings.ts';
import type { Incident, StartRequest } from './contracts.ts';

const hash8 = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8);
/** 2026-11-22T20:15:00.123Z → 20261122T201500Z */
const compact = (moment: string) => `${moment.slice(0, 19).replace(/[-:]/g, '')}Z`;

/** Two starts with the same requestId are the same request; without one, every execution is its own. */
export const requestKey = (request: Pick<StartRequest, 'requestId'>, executionArn: string): string =>
  hash8(request.requestId ?? executionArn);

/** `drill-20261122T201500Z-1a2b3c4d` */
export const incidentId = (mode: Incident['mode'], startedAt: string, key: string): string =>
  `${mode}-${compact(startedAt)}-${key}`;

export const isIncidentId = (text: string): boolean => /^(drill|recovery)-\d{8}T\d{6}Z-[0-9a-f]{8}$/.test(text);

/** The request key that an incident id ends in. */
export const keyOfIncident = (id: string): string => id.slice(-8);

/**
 * The instance that a drill restores to: `dr-drill-<active>-<request key>`, at most 63 characters (the limit of RDS). The
 * delete guard of the product rests on the prefix, and adoption on the incident's tag.
 */
export function candidateIdentifier(settings: Settings, activeIdentifier: string, id: string): string {
  const suffix = `-${keyOfIncident(id)}`;
  // RDS refuses two hyphens in a row, which a cut could leave.
  const stem = `${settings.database.drillPrefix}${activeIdentifier}`.slice(0, 63 - suffix.length).replace(/-+$/, '');
  return stem + suffix;
}

/**
 * A drill, and a repair of named tables, work on a copy under the drill's prefix that is gone afterwards; the copy of any
 * other recovery becomes production.
 */
export const isCopyDeleted = ({ mode, scope }: Pick<Incident, 'mode' | 'scope'>): boolean =>
  mode === 'drill' || scope !== undefined;

/** A cluster and configuration are rebuilt by builds: the database was there all the while. */
export const restoresNoData = ({ scenario }: Pick<Incident, 'scenario'>): boolean =>
  scenario === 'cluster' || scenario === 'configuration';

export const incidentTag = 'stocker-dr:incident';
export const environmentTag = 'stocker-dr:environment';

export const stateMachineName = (environment: string, scenario: Incident['scenario']): string =>
  scenario === 'region'
    ? `stocker-dr-${environment}-region-failover`
    : `stocker-dr-${environment}-${scenario}-recovery`;

/** Alarms that say a database is lost or damaged bear this prefix; while one rings, scheduled drills are deferred. */
export const databaseAlarmPrefix = (environment: string): string => `stocker-dr-${environment}-database-`;

/** Alarms that say the primary is lost, or that its loss would not be seen. */
export const regionAlarmPrefix = (environment: string): string => `stocker-dr-${environment}-region-`;
/** Alarms that say a cluster, its nodes or its workloads are lost bear this one. */
export const clusterAlarmPrefix = (environment: string): string => `stocker-dr-${environment}-cluster-`;

/** Rings while a latch is on; the health check of the primary's record follows it. */
export const latchAlarm = (environment: string, latch: 'traffic' | 'drill-traffic'): string =>
  `stocker-dr-${environment}-${latch}-latched`;

/** Name of the execution that triage starts: the same alarm going off once can start only one. */
export const executionName = (alarm: string, since: string): string =>
  `triage-${compact(since)}-${hash8(`${alarm} ${since}`)}`;

/** The compensation that lifts production's fence. */
export const unfenceSource = 'unfence-source';
