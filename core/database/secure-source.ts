/** SnapshotSource and AwaitSnapshot: production as it was found is kept before anything is built on a copy of it. */
import type { Incident } from '../incident/contracts.ts';
import { environmentTag, incidentTag, keyOfIncident, requestKey } from '../incident/identifiers.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { RestorePlan } from './contracts.ts';
import { CandidateNotOurs, SnapshotNotReady } from './errors.ts';
import type { Databases } from './ports.ts';

/**
 * `dr-safety-<incident key>`: a repeated step finds what the first one made. A retry takes one of its own, with the key of
 * its execution behind, for the source took writes in between.
 */
export function safetySnapshot({
  id,
  executionArn,
  retryOf,
}: Pick<Incident, 'id' | 'executionArn' | 'retryOf'>): string {
  const first = `dr-safety-${keyOfIncident(id)}`;
  return retryOf === undefined ? first : `${first}-${requestKey({}, executionArn)}`;
}

interface SnapshotInput {
  readonly incident: Incident;
  readonly plan: RestorePlan;
}

export interface SnapshotContext {
  readonly settings: Settings;
  readonly databases: Pick<Databases, 'find' | 'findSnapshot' | 'createSnapshot'>;
}

export interface SafetySnapshot {
  readonly snapshot: string;
  readonly outcome: 'started' | 'adopted' | 'skipped';
}

/** A source that is gone, or in a state that RDS takes no snapshot of, is recorded as skipped. */
export async function snapshotSource(
  { incident, plan }: SnapshotInput,
  { settings, databases }: SnapshotContext,
): Promise<StepResult<SafetySnapshot>> {
  const snapshot = safetySnapshot(incident);
  const source = await databases.find(plan.source.identifier);
  const skip = (why: string): StepResult<SafetySnapshot> => ({
    output: { snapshot, outcome: 'skipped' },
    summary: `no safety snapshot: ${why}`,
    facts: { snapshot, outcome: 'skipped', why },
  });
  const existing = await databases.findSnapshot(snapshot);
  if (existing === undefined) {
    if (source?.resourceId !== plan.source.resourceId) return skip(`${plan.source.identifier} is gone`);
    if (!takesSnapshots(source.status)) return skip(`${source.identifier} is ${source.status}`);
    const outcome = await databases.createSnapshot({
      identifier: snapshot,
      instanceIdentifier: source.identifier,
      tags: { [incidentTag]: incident.id, [environmentTag]: settings.environment },
    });
    if (outcome === 'no-instance') return skip(`${plan.source.identifier} is gone`);
    if (outcome === 'started')
      return {
        output: { snapshot, outcome },
        summary: `taking snapshot ${snapshot} of ${source.identifier}`,
        facts: { snapshot, outcome },
      };
  }
  const found = existing ?? (await databases.findSnapshot(snapshot));
  const owner = found?.tags?.[incidentTag];
  if (owner !== incident.id)
    throw CandidateNotOurs(
      `Snapshot ${snapshot} exists and was made by ${owner ?? 'no incident'}, not by ${incident.id}.`,
    );
  return {
    output: { snapshot, outcome: 'adopted' },
    summary: `${snapshot} was already taken by this execution`,
    facts: { snapshot, outcome: 'adopted', createdAt: found?.createdAt },
  };
}

/** RDS comes back from the other ones by itself, and takes the snapshot then. */
const noSnapshots = /^(failed|deleting|restore-error|incompatible-|inaccessible-|stopp)/;
const takesSnapshots = (status: string) => !noSnapshots.test(status);

/**
 * The restore does not need it: where RDS cannot take it, the instance itself, which no recovery deletes, is the
 * evidence, and people are told so.
 */
export async function awaitSnapshot(
  { incident, plan }: SnapshotInput,
  { databases }: Pick<SnapshotContext, 'databases'>,
): Promise<StepResult<{ status: 'available' | 'none' }>> {
  const identifier = safetySnapshot(incident);
  const snapshot = await databases.findSnapshot(identifier);
  if (snapshot?.status === 'available')
    return {
      output: { status: 'available' },
      summary: `${identifier} is available: ${plan.source.identifier} as it was found`,
      facts: { snapshot: identifier, arn: snapshot.arn, createdAt: snapshot.createdAt },
    };
  const none = (why: string): StepResult<{ status: 'available' | 'none' }> => ({
    output: { status: 'none' },
    summary: `no safety snapshot: ${why}; ${plan.source.identifier} itself is kept`,
    facts: { snapshot: identifier, why },
  });
  if (snapshot === undefined) return none('none was taken');
  const source = await databases.find(plan.source.identifier);
  if (snapshot.status === 'failed') return none(`RDS failed to take ${identifier}`);
  if (source?.resourceId !== plan.source.resourceId || !takesSnapshots(source.status))
    return none(`${plan.source.identifier} was lost while ${identifier} was taken`);
  throw SnapshotNotReady(`${identifier} is ${snapshot.status}.`);
}
