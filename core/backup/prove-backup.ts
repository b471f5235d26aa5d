/** StartProof and AwaitProof: a backup that cannot be restored is no backup. Once a week drills restore the newest ones. */

import { newestFirst } from '../database/dump/names.ts';
import type { RestoreTo, StepRecord } from '../incident/contracts.ts';
import { recordVersion } from '../incident/contracts.ts';
import { requestKey, stateMachineName } from '../incident/identifiers.ts';
import type { Clock, Executions, IncidentStore } from '../incident/ports.ts';
import type { BackupRun, Outcome, Proof } from './contracts.ts';
import { NoBackup, ProofUnderWay } from './errors.ts';
import type { KeepContext } from './keep-snapshots.ts';
import { backupPrefix } from './names.ts';
import type { Backups, DumpFolder, InRegion, Snapshots } from './ports.ts';
import { planRetention } from './retention.ts';
import { proofsRead, rightKeys } from './verify-backup.ts';

export interface StartProofContext extends KeepContext {
  readonly snapshots: InRegion<Snapshots>;
  readonly dumps: Pick<DumpFolder, 'list'>;
  readonly executions: Pick<Executions, 'start'>;
}

export interface StartedProof {
  readonly part: 'proof' | 'dump-proof';
  /** Identifier of the snapshot, or name of the dump. */
  readonly backup: string;
  readonly executionArn: string;
  readonly requestId: string;
}

/** The drill that a disaster would run, on the newest good backup. Repeated, it finds the drill that it started. */
export async function startProof({ run }: { run: BackupRun }, context: StartProofContext): Promise<StartedProof> {
  const ofDump = run.task === 'prove-dump';
  const part = ofDump ? 'dump-proof' : 'proof';
  const backup = await (ofDump ? newestDump(run, context) : newestSnapshot(run, context));
  const restoreTo: RestoreTo = ofDump ? { dump: backup } : { snapshot: backup };
  const requestId = `${part}-${run.id}`;
  const machine = stateMachineName(context.settings.environment, 'database');
  const { executionArn } = await context.executions.start(machine, requestId, {
    mode: 'drill',
    reason: `Weekly proof that ${backup} can be restored`.slice(0, 500),
    restoreTo,
    requestId,
    trigger: { kind: 'schedule', name: run.id, at: run.startedAt },
  });
  return { part, backup, executionArn, requestId };
}

async function newestSnapshot(run: BackupRun, context: StartProofContext): Promise<string> {
  const { settings, snapshots, backups } = context;
  const [found, keyArns, proofs] = await Promise.all([
    snapshots(run.region).list(backupPrefix),
    rightKeys(run.region, run, context),
    backups.proofs(proofsRead),
  ]);
  const { environment, backup } = settings;
  // Of this very instance: a snapshot of the one before the last cut-over says nothing about today's backups.
  const ofActive = found.filter(({ resourceId }) => resourceId === run.source.resourceId);
  const [snapshot] = planRetention(ofActive, { environment, kept: backup.kept, keyArns, proofs }).kept;
  if (snapshot === undefined) throw NoBackup(`${run.region} has no good backup of ${run.source.identifier}.`);
  return snapshot;
}

/** Also one that failed before: it is tonight's restore point all the same, and may have failed for a reason that is mended. */
async function newestDump(run: BackupRun, { dumps }: StartProofContext): Promise<string> {
  const [newest] = newestFirst(await dumps.list());
  if (newest === undefined) throw NoBackup(`${run.region} holds no dump.`);
  return newest.name;
}

export interface AwaitProofContext {
  readonly clock: Clock;
  readonly executions: Pick<Executions, 'status'>;
  readonly incidents: Pick<IncidentStore, 'findByRequest' | 'read' | 'steps'>;
  readonly backups: Pick<Backups, 'recordProof'>;
}

/** Records the outcome against the backup. Throws ProofUnderWay while the drill runs. */
export async function awaitProof(
  { proof: { part, backup, executionArn, requestId } }: { run: BackupRun; proof: StartedProof },
  { clock, executions, incidents, backups }: AwaitProofContext,
): Promise<Outcome> {
  const status = await executions.status(executionArn);
  if (status === 'RUNNING') throw ProofUnderWay(`The drill that restores ${backup} runs.`);
  const incidentId = await incidents.findByRequest(requestKey({ requestId }, executionArn));
  const record = incidentId === undefined ? undefined : await incidents.read(incidentId);
  if (record?.status === 'open') throw ProofUnderWay(`${incidentId} is being closed.`);
  const steps = incidentId === undefined ? [] : await incidents.steps(incidentId);
  const { verdict, why } = judgeProof(record, steps, status ?? 'gone');
  const proof: Proof = {
    version: recordVersion,
    backup,
    verdict,
    why,
    at: clock.now().toISOString(),
    ...(incidentId === undefined ? {} : { incidentId }),
  };
  await backups.recordProof(proof);
  return {
    part,
    verdict: verdict === 'passed' ? 'passed' : 'failed',
    summary: verdict === 'passed' ? `${backup} was restored and validated: ${why}` : `${backup} is not proven: ${why}`,
    facts: { ...proof },
  };
}

/** States of database-recovery whose failure is the backup's: it does not restore, or what it restores is not sound. */
const ofTheBackup = new Set(['RestoreDatabase', 'AwaitAvailable', 'AwaitUsable', 'LoadDump', 'JudgeGate']);
/** Of these the backup is not guilty, wherever they strike. */
const passing = new Set(['ServiceUnavailable', 'States.Timeout', 'ValidationUnknown']);

/** Pure. A drill that passed the gate has restored the backup and found it sound, whatever failed afterwards. */
export function judgeProof(
  record: { readonly status: string; readonly outcome?: string | undefined } | undefined,
  steps: readonly Pick<StepRecord, 'step' | 'status' | 'summary' | 'error'>[],
  execution: string,
): Pick<Proof, 'verdict' | 'why'> {
  if (record === undefined) return { verdict: 'unknown', why: `no drill was opened; its execution is ${execution}` };
  if (record.status === 'closed') return { verdict: 'passed', why: 'the drill passed' };
  const gate = steps.find(({ step }) => step === 'JudgeGate');
  const failed = steps.find(({ status, step }) => status === 'failed' && step !== 'CloseIncident');
  const why = failed ? `${failed.step} failed: ${failed.summary}` : (record.outcome ?? 'the drill failed');
  if (gate?.status === 'succeeded') return { verdict: 'passed', why: `it passed the gate; then ${why}` };
  const guilty = failed !== undefined && ofTheBackup.has(failed.step) && !passing.has(failed.error?.name ?? '');
  return { verdict: guilty ? 'failed' : 'unknown', why };
}
