/** JudgeFindings: from what was seen to what is restored, as a person approves it; after the restoration, that nothing is left. */
import type { PlanReport, Where } from '../cluster/contracts.ts';
import { OverlayUnusable, PlanRefused, SourceUnreachable } from '../cluster/errors.ts';
import { protectedCheck } from '../cluster/judge-rebuild.ts';
import { describeChanges, destroys, digestOf, drillObjections, objections } from '../cluster/terraform-plan.ts';
import type { Incident } from '../incident/contracts.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { Affected, Looked, Restoration } from './contracts.ts';
import { ConfigurationUnknown, DatabaseGone, DriftMissed, DriftRemains } from './errors.ts';

/** What a person waives who knows better than a source that did not answer: it is left as it is. */
export const unknownCheck = 'unknown-configuration';

export interface Findings {
  readonly incident: Incident;
  readonly where: Where;
  readonly looked: Looked;
  readonly report: PlanReport;
  /** After the restoration nothing may be left. */
  readonly after?: boolean | undefined;
}

/**
 * Throws ConfigurationUnknown, DatabaseGone, SourceUnreachable, OverlayUnusable or PlanRefused, with nothing changed; after
 * the restoration DriftRemains.
 */
export function judgeFindings(
  findings: Findings,
  { settings }: { readonly settings: Pick<Settings, 'database'> },
): StepResult<Restoration> {
  const { incident, looked, after = false } = findings;
  requireGit(findings);
  const unknown = requireKnown(findings);
  const restoration = restorationOf(findings, settings.database.drillPrefix, unknown);
  const { affected, question } = restoration;
  if (incident.mode === 'drill' && !after) requireSeen(affected);
  if (after && affected.length > 0)
    throw DriftRemains(`Still not as it should be: ${affected.map(inWords).join('; ')}`, { details: { affected } });
  const none = after ? 'nothing differs any more' : nothingAffected(incident, looked);
  return {
    output: restoration,
    summary: affected.length === 0 ? [none, ...unknown].join('; ') : question.map((line) => line.trim()).join('; '),
    facts: { affected, approved: restoration.approved, manifests: restoration.manifests, waived: unknown },
  };
}

/** What a drill loses: one of each. */
const lostInDrill = ['record', 'secret', 'manifest'] as const;

function requireSeen(affected: readonly Affected[]): void {
  const missed = lostInDrill.filter((kind) => !affected.some((each) => each.kind === kind));
  if (missed.length > 0) throw DriftMissed(`The drill lost a ${missed.join(', a ')}, and it was not found`);
}

const nothingAffected = ({ trigger }: Incident, { seen }: Looked) =>
  `nothing is affected${trigger.name ? `, whatever ${trigger.name} was about` : ''}: Terraform’s plan is empty, the cluster is as the overlay has it; looked at ${seen.join(', ')}`;

function requireGit({ report }: Findings): void {
  if (report.source === 'unreachable')
    throw SourceUnreachable('Git cannot be read: what anything should be is not known, and nothing was changed');
  if (report.overlay === 'unusable') throw OverlayUnusable('The overlay cannot be built, and nothing was changed');
}

const makes = (report: PlanReport, type: string, name: string): boolean =>
  report.changes.some((each) => each.type === type && each.name === name && each.actions.includes('create'));

/** What was waived, in words. */
function requireKnown({ incident, where, looked, report }: Findings): string[] {
  const { cluster } = where.blueprint;
  const isCompared = report.differences !== undefined || makes(report, 'aws_eks_cluster', cluster);
  const unknown = [
    ...looked.unknown,
    ...(isCompared ? [] : [`cluster ${cluster}: it could not be compared with the overlay`]),
  ];
  if (unknown.length === 0) return [];
  const { waiver } = incident;
  if (!waiver?.checks.includes(unknownCheck))
    throw ConfigurationUnknown(`Not known: ${unknown.join('; ')}`, { details: { unknown } });
  return unknown.map((each) => `WAIVED by ${waiver.by} ("${waiver.reason}"), and left as it is: ${each}`);
}

/** Types of Terraform that stand for what is restored from its own backup. */
const typeOf: Partial<Record<Affected['kind'], string>> = {
  record: 'aws_route53_record',
  zone: 'aws_route53_zone',
  secret: 'aws_secretsmanager_secret',
  bucket: 'aws_s3_bucket',
};
/** A record is titled by name, type and set; Terraform’s plan names it alone. */
const plainName = ({ kind, name }: Affected) => (kind === 'record' ? (name.split(' ')[0] ?? name) : name);

function restorationOf(findings: Findings, drillPrefix: string, unknown: readonly string[]): Restoration {
  const { incident, where, looked, report } = findings;
  const gone = looked.affected.find(({ kind }) => kind === 'database');
  if (gone) throw DatabaseGone(`${gone.name} is ${gone.is}: a database comes back by database-recovery`);
  const own = looked.affected.map((each): Affected => {
    const isTerraforms = each.way === 'nobody' && makes(report, typeOf[each.kind] ?? '', plainName(each));
    return isTerraforms ? { ...each, way: 'terraform' } : each;
  });
  // What is put back first is not in the plan any more when that is applied.
  const changes = report.changes.filter(
    (change) =>
      !own.some(
        (each) =>
          isOwnWay(each) &&
          typeOf[each.kind] === change.type &&
          plainName(each) === (change.name ?? '').replace(/\.$/, ''),
      ),
  );
  const waived = requireHarmless({ ...findings, report: { ...report, changes } }, drillPrefix);
  const objects = report.differences ?? [`everything of ${where.blueprint.overlay}`];
  const affected: Affected[] = [
    ...own,
    ...changes.map(
      (change): Affected => ({
        kind: 'change',
        name: change.address,
        is: `not as Git has it: Terraform would ${describeChanges([change]).join()}`,
        shouldBe: 'as Git has it',
        way: 'terraform',
      }),
    ),
    ...objects.map(
      (name): Affected => ({
        kind: 'manifest',
        name,
        is: 'not as the overlay has it',
        shouldBe: 'as Git has it',
        way: 'manifests',
      }),
    ),
  ];
  const destroyed = changes.filter(destroys).length;
  const manifests = objects.length > 0 ? 'git' : 'none';
  return {
    affected,
    recording: looked.recording,
    approved: digestOf(changes),
    manifests,
    applies: changes.length > 0 || manifests === 'git',
    question: [
      ...affected.map(inWords),
      ...(destroyed > 0 ? [`${destroyed} of Terraform’s changes DESTROY something`] : []),
      ...waived,
      ...unknown,
      ...(affected.length === 0 ? ['Nothing is affected'] : []),
    ],
    approval: incident.mode === 'drill' ? 'none' : 'ask',
  };
}

const isOwnWay = ({ way }: Affected) =>
  ['recorded-zone', 'recovery-window', 'replication', 'cancel-deletion'].includes(way);

const byWay: Readonly<Record<Affected['way'], string>> = {
  'recorded-zone': 'it comes back from the recorded zone',
  'recovery-window': 'it is restored within its recovery window',
  replication: 'it is replicated again',
  'cancel-deletion': 'its deletion is cancelled, and it is enabled',
  terraform: 'Terraform brings it back',
  manifests: 'the manifests are applied',
  nobody: 'NOTHING HERE BRINGS IT BACK: do it by hand before you approve, or this recovery will fail',
};
export const inWords = ({ kind, name, is, shouldBe, way }: Affected): string =>
  `${kind} ${name} is ${is}, and should be ${shouldBe}: ${byWay[way]}`;

/** No build may modify production's database (lib/constructs/cluster): its plan would end half-way. */
const changesOfDatabases = ({ changes }: Findings['report']): string[] =>
  describeChanges(changes.filter(({ type, actions }) => type === 'aws_db_instance' && actions.includes('update'))).map(
    (change) => `it would ${change}, which a person does, with a role of their own`,
  );

/** What was waived, in words. */
function requireHarmless({ incident, report }: Findings, drillPrefix: string): string[] {
  const isDrill = incident.mode === 'drill';
  const against = isDrill
    ? drillObjections(report.changes, drillPrefix, 'create')
    : [...objections(report.changes), ...changesOfDatabases(report)];
  if (against.length === 0) return [];
  const { waiver } = incident;
  if (isDrill || !waiver?.checks.includes(protectedCheck))
    throw PlanRefused(`Terraform’s plan is refused: ${against.join('; ')}`, { details: { objections: against } });
  return against.map((each) => `WAIVED by ${waiver.by} ("${waiver.reason}"): ${each}`);
}
