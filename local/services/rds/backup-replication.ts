/** Automated backups that another Region's follow: restorable here when the source and its Region are gone, some minutes behind. */
import type * as sdk from '@aws-sdk/client-rds';
import { AwsError, type Operation } from '../../kernel.ts';
import { operation } from '../declare.ts';
import { AccessRules, viaRds } from './access.ts';
import { showAutomatedBackup } from './describe.ts';
import { instanceNotFound, invalidState, invalidValue } from './errors.ts';
import { encryptionOfCopy, isUsable, keyUse } from './keys.ts';
import { findInstance, requireStatus, uploadIntervalMs } from './lifecycle.ts';
import type { AutomatedBackups, Instance, Region, Replication } from './state.ts';

const start = 'StartDBInstanceAutomatedBackupsReplication';
const stop = 'StopDBInstanceAutomatedBackupsReplication';
/** [RDS service model] */
const defaultRetentionDays = 7;

export function replicationOperations(region: Region, rules: AccessRules): Record<string, Operation> {
  const show = async (backups: AutomatedBackups) => ({
    DBInstanceAutomatedBackup: showAutomatedBackup(region, backups, (await region.engine).version),
  });
  /** Both the source's instance and the backups here. */
  const access = (action: string, arn: string | undefined) => {
    const { region: home, identifier } = region.locate('db', arn);
    return [
      new AccessRules(home).instance(action, identifier, viaRds(region, home)),
      rules.automatedBackup(action, region.arn('auto-backup', '*')),
    ];
  };
  return {
    [start]: operation<
      sdk.StartDBInstanceAutomatedBackupsReplicationCommandInput,
      sdk.StartDBInstanceAutomatedBackupsReplicationCommandOutput
    >(
      // PreSignedUrl is ignored but in GovCloud; the clients make it nevertheless. [RDS service model]
      ['SourceDBInstanceArn', 'BackupRetentionPeriod', 'KmsKeyId', 'PreSignedUrl'],
      (input) => [...access(start, input.SourceDBInstanceArn), ...keyUse(region, input.KmsKeyId)],
      async (input) => {
        const { region: from, identifier } = region.locate('db', input.SourceDBInstanceArn);
        if (from === region) throw invalidValue('The source must be in another Region.');
        await region.reach(from, start, input);
        const source = findInstance(from, identifier);
        requireStatus(source, 'available', 'backing-up', 'modifying');
        if (source.backups === undefined) throw invalidState(`Automated backups are not enabled for ${identifier}.`);
        const known = region.backups.get(source.resourceId);
        if (known?.replication?.isStopped === false)
          throw invalidState(`The automated backups of ${identifier} are replicated already.`);
        const backups = known ?? (await makeBackups(region, source));
        const replication = readReplication(region, from, source, input);
        backups.replication = replication;
        backups.status = 'pending';
        region.background(() => replicate(region, backups, replication));
        return show(backups);
      },
    ),

    [stop]: operation<
      sdk.StopDBInstanceAutomatedBackupsReplicationCommandInput,
      sdk.StopDBInstanceAutomatedBackupsReplicationCommandOutput
    >(
      ['SourceDBInstanceArn'],
      (input) => access(stop, input.SourceDBInstanceArn),
      (input) => {
        const { region: from, identifier } = region.locate('db', input.SourceDBInstanceArn);
        const backups = [...region.backups.values()].find(
          ({ instance, replication }) => replication?.from === from && instance.identifier === identifier,
        );
        if (backups?.replication === undefined) throw instanceNotFound(identifier);
        if (backups.replication.isStopped)
          throw invalidState(`The automated backups of ${identifier} are not replicated.`);
        const shown = show(backups);
        end(backups);
        return shown;
      },
    ),
  };
}

async function makeBackups(region: Region, instance: Instance): Promise<AutomatedBackups> {
  const archive = await (await region.engine).createArchive();
  const backups: AutomatedBackups = { instance, archive, status: 'pending', backups: [] };
  region.backups.set(instance.resourceId, backups);
  return backups;
}

function readReplication(
  region: Region,
  from: Region,
  source: Instance,
  input: sdk.StartDBInstanceAutomatedBackupsReplicationCommandInput,
): Replication {
  const retentionDays = input.BackupRetentionPeriod ?? defaultRetentionDays;
  if (!(retentionDays >= 1 && retentionDays <= 35))
    throw invalidValue(`Invalid backup retention period: ${retentionDays}`);
  const { KmsKeyId: kmsKeyId } = encryptionOfCopy(region, { region: from, settings: source.settings }, input.KmsKeyId);
  return { from, retentionDays, ...(kmsKeyId !== undefined && { kmsKeyId }), isStopped: false };
}

/** What was replicated stays. */
function end(backups: AutomatedBackups): void {
  if (backups.replication !== undefined) backups.replication.isStopped = true;
  backups.status = 'retained';
}

/** Copies after every upload of the source, until it is stopped, its source's backups are deleted, or these are. */
async function replicate(region: Region, backups: AutomatedBackups, replication: Replication): Promise<void> {
  const { clock } = region.home;
  const { resourceId } = backups.instance;
  const goesOn = () =>
    !replication.isStopped && region.backups.get(resourceId) === backups && !region.ended.signal.aborted;
  const loop = async () => {
    while (goesOn()) {
      await pull(region, backups, replication, goesOn).catch(ignoreDarkness);
      await clock.sleep(uploadIntervalMs, region.ended.signal);
    }
  };
  // Not waited for: a Region that ends lets nothing finish that would go on for ever.
  loop().catch(() => {});
}

/** A source that does not answer, or whose key is disabled, stops replication silently: only the restore window tells. */
async function pull(
  region: Region,
  backups: AutomatedBackups,
  { from, kmsKeyId }: Replication,
  goesOn: () => boolean,
): Promise<void> {
  await region.reach(from, start, { SourceDBInstanceArn: from.arn('db', backups.instance.identifier) });
  const original = from.backups.get(backups.instance.resourceId);
  if (original === undefined) return end(backups);
  if (!isUsable(region, kmsKeyId) || !isUsable(from, original.instance.settings.KmsKeyId)) return;
  const { latest } = original;
  const engine = await region.engine;
  if (latest === undefined || engine.copyBackup === undefined || engine.copyArchive === undefined) return;
  for (const { backup, from: time } of original.backups) {
    if (backups.backups.some((copy) => copy.from === time)) continue;
    backups.backups.push({ backup: await engine.copyBackup(backup), from: time });
  }
  await engine.copyArchive(original.archive, backups.archive);
  if (!goesOn()) return;
  backups.latest = latest;
  backups.status = 'replicating';
}

function ignoreDarkness(error: Error): void {
  if (!(error instanceof AwsError)) process.emitWarning(`Replication of automated backups: ${error.stack}`);
}
