/** CheckConfiguration: what a recovery in the other Region needs besides data is there, and of the same version. */
import type { Parameters } from '../database/ports.ts';
import { regionSettings, type Settings } from '../settings.ts';
import type { BackupRun, Outcome } from './contracts.ts';
import type { InRegion, RegionFacts } from './ports.ts';

export interface ConfigurationContext {
  readonly settings: Settings;
  readonly parameters: Pick<Parameters, 'read'>;
  readonly facts: InRegion<RegionFacts>;
}

export interface ConfigurationInput {
  readonly run: BackupRun;
  /** By digest, as the export saw them; null where it failed. */
  readonly images: readonly string[] | null;
  readonly unresolved: readonly string[] | null;
}

/** One fact; without a flaw it is as it should be. */
interface Fact {
  readonly name: string;
  readonly found: unknown;
  readonly flaw?: string;
}

export async function checkConfiguration(input: ConfigurationInput, context: ConfigurationContext): Promise<Outcome> {
  const { settings } = context;
  const { database, backup } = settings;
  const secrets = new Set([
    database.masterSecretName,
    database.heartbeatRole.secretName,
    database.sentinelRole.secretName,
    ...database.applicationRoles.map(({ secretName }) => secretName),
  ]);
  const regions = [input.run.region, input.run.otherRegion];
  const checks: (() => Promise<Fact | readonly Fact[]>)[] = [
    () => commit(context),
    ...regions.flatMap((region) => backup.terraformStates.map((key) => () => terraformState(region, key, context))),
    ...[...secrets].map((name) => () => secretVersions(name, regions, context)),
    () => images(input, context),
  ];
  // One that does not answer is a flaw of its own and hides no other.
  const found = (await Promise.all(checks.map((check) => check().catch(unanswered)))).flat();
  const flaws = found.flatMap(({ name, flaw }) => (flaw === undefined ? [] : [`${name}: ${flaw}`]));
  return {
    part: 'configuration',
    verdict: flaws.length === 0 ? 'passed' : 'failed',
    summary:
      flaws.join('; ') ||
      `commit, ${regions.length * backup.terraformStates.length} Terraform states, ${secrets.size} secrets and ${input.images?.length ?? 0} images are as a recovery in ${input.run.otherRegion} needs them`,
    facts: Object.fromEntries(found.map(({ name, found: value, flaw }) => [name, flaw ?? value])),
  };
}

const unanswered = (error: unknown): Fact => ({
  name: 'unknown',
  found: undefined,
  flaw: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
});

async function commit({ settings, parameters }: ConfigurationContext): Promise<Fact> {
  const name = 'deployed commit';
  const value = (await parameters.read(settings.backup.commitParameter))?.trim();
  return /^[0-9a-f]{40}$/.test(value ?? '')
    ? { name, found: value }
    : { name, found: value, flaw: `${settings.backup.commitParameter} holds ${value ?? 'nothing'}, no commit` };
}

async function terraformState(region: string, key: string, { settings, facts }: ConfigurationContext): Promise<Fact> {
  const bucket = regionSettings(settings, region).terraformStateBucket;
  const name = `Terraform state s3://${bucket}/${key}`;
  const state = await facts(region).terraformState(bucket, key);
  if (state === 'absent') return { name, found: state, flaw: 'there is none' };
  if (state === 'unversioned') return { name, found: state, flaw: 'its bucket keeps no versions' };
  return { name, found: state };
}

/** A replica that lags holds the password of yesterday: a recovery there would be locked out. */
async function secretVersions(
  secret: string,
  regions: readonly string[],
  { facts }: ConfigurationContext,
): Promise<Fact> {
  const name = `secret ${secret}`;
  const versions = await Promise.all(regions.map((region) => facts(region).secretVersion(secret)));
  const found = Object.fromEntries(regions.map((region, index) => [region, versions[index]]));
  const missing = regions.filter((region) => found[region] === undefined);
  if (missing.length > 0) return { name, found, flaw: `there is none in ${missing.join(' and ')}` };
  return new Set(versions).size === 1 ? { name, found } : { name, found, flaw: 'the Regions hold different versions' };
}

export const ecrImage = /^(\d{12})\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com\/(.+)@(sha256:[0-9a-f]{64})$/;

async function images(
  { run, images: known, unresolved }: ConfigurationInput,
  { facts }: ConfigurationContext,
): Promise<readonly Fact[]> {
  if (known === null) return [{ name: 'images', found: undefined, flaw: 'unknown, for the export failed' }];
  const there = facts(run.otherRegion);
  const checked = known.map(async (image): Promise<Fact> => {
    const [, registry, repository, digest] = ecrImage.exec(image) ?? [];
    if (registry === undefined || repository === undefined || digest === undefined)
      return { name: `image ${image}`, found: 'in another registry, which no Region of ours holds' };
    const isThere = await there.hasImage(registry, repository, digest);
    return {
      name: `image ${image}`,
      found: isThere,
      ...(isThere ? {} : { flaw: `${run.otherRegion} has not got it` }),
    };
  });
  return [
    ...(await Promise.all(checked)),
    ...(unresolved ?? []).map((image) => ({
      name: `image ${image}`,
      found: undefined,
      flaw: 'no pod tells its digest',
    })),
  ];
}
