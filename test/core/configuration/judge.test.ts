/** What is decided of what was seen: each rule, and that it can fail. */
import { describe, expect, it } from 'vitest';
import type { Change, PlanReport } from '../../../core/cluster/contracts.ts';
import { digestOf } from '../../../core/cluster/terraform-plan.ts';
import type { Affected, Looked } from '../../../core/configuration/contracts.ts';
import { judgeFindings, unknownCheck } from '../../../core/configuration/judge-findings.ts';
import { makeIncident, settings } from '../fakes.ts';
import { makeReport, well } from './fakes.ts';

const where = {
  stateBucket: 'b',
  lockTable: 'l',
  namespace: 'n',
  blueprint: { cluster: 'stocker', variables: 'v.tfvars', stateKey: 'k', overlay: 'overlays/production' },
};
const recovery = makeIncident({ mode: 'recovery', scenario: 'configuration' });
const drill = makeIncident({ mode: 'drill', scenario: 'configuration' });
const waiver = (check: string) => ({ waiver: { checks: [check], by: 'arn:alice', reason: 'known' } });
interface Given {
  looked?: Partial<Looked>;
  report?: Partial<PlanReport>;
  incident?: object;
  after?: boolean;
}
const judge = ({ looked = {}, report = {}, incident = {}, after }: Given) =>
  judgeFindings(
    {
      incident: { ...recovery, ...incident },
      where,
      looked: { ...well, ...looked },
      report: makeReport(report),
      after,
    },
    { settings },
  );
const change = (type: string, actions: string[], name = 'stocker-x'): Change => ({
  address: `${type}.this`,
  type,
  actions,
  name,
});
const record: Affected = {
  kind: 'record',
  name: 'api.stocker.example A',
  is: 'absent',
  shouldBe: 'x',
  way: 'recorded-zone',
};
const secret: Affected = { kind: 'secret', name: 's/app', is: 'scheduled', shouldBe: 'there', way: 'recovery-window' };
const bucket: Affected = { kind: 'bucket', name: 'dumps', is: 'absent', shouldBe: 'there', way: 'nobody' };
const nameOf = (run: () => unknown) => {
  try {
    return run() && 'nothing was thrown';
  } catch (error) {
    return (error as Error).name;
  }
};

describe('what is found', () => {
  it('nothing: is said, and nothing is approved or applied', () => {
    const { output, summary } = judge({ incident: { trigger: { kind: 'event', name: 'DeleteSecret of x' } } });
    expect(output).toMatchObject({ affected: [], applies: false, manifests: 'none' });
    expect(summary).toMatch(/nothing is affected, whatever DeleteSecret of x was about/);
  });
  it('is shown line by line, with how it comes back, and always asked about', () => {
    const { output } = judge({
      looked: { affected: [record] },
      report: { changes: [change('aws_eks_node_group', ['update'])], differences: ['deployment/stocker-api'] },
    });
    expect(output).toMatchObject({ approval: 'ask', applies: true, manifests: 'git' });
    expect(output.question).toEqual([
      expect.stringMatching(/record api.*absent.*recorded zone/),
      expect.stringMatching(/change aws_eks_node_group.this.*Terraform would update.*Terraform brings it back/),
      expect.stringMatching(/manifest deployment\/stocker-api.*manifests are applied/),
    ]);
  });
  it('needs no build where nothing differs from Git', () => {
    expect(judge({ looked: { affected: [secret] } }).output).toMatchObject({ applies: false, affected: [secret] });
  });
  it('approves of Terraform only what own backups do not make needless', () => {
    const left = change('aws_eks_node_group', ['update']);
    const changes = [change('aws_secretsmanager_secret', ['create'], 's/app'), left];
    const { output } = judge({ looked: { affected: [secret] }, report: { changes } });
    expect(output.approved).toBe(digestOf([left]));
    expect(output.affected.map(({ kind }) => kind)).toEqual(['secret', 'change']);
  });
  it('is Terraform’s to bring back where its plan makes it, and nobody’s otherwise', () => {
    const made = judge({
      looked: { affected: [bucket] },
      report: { changes: [change('aws_s3_bucket', ['create'], 'dumps')] },
    });
    expect(made.output.affected[0]).toMatchObject({ kind: 'bucket', way: 'terraform' });
    expect(judge({ looked: { affected: [bucket] } }).output.question[0]).toMatch(/NOTHING HERE BRINGS IT BACK/);
  });
});

describe('what ends a recovery before anything is changed', () => {
  it.each<[string, Given, string]>([
    ['Git cannot be read', { report: { source: 'unreachable' } }, 'SourceUnreachable'],
    ['the overlay cannot be built', { report: { overlay: 'unusable' } }, 'OverlayUnusable'],
    ['a source is silent', { looked: { unknown: ['zone: silent'] } }, 'ConfigurationUnknown'],
    ['the cluster cannot be compared', { report: { differences: undefined } }, 'ConfigurationUnknown'],
    ['the database is gone', { looked: { affected: [{ ...bucket, kind: 'database', name: 'db' }] } }, 'DatabaseGone'],
    ['the plan destroys the database', { report: { changes: [change('aws_db_instance', ['delete'])] } }, 'PlanRefused'],
    ['the plan modifies the database', { report: { changes: [change('aws_db_instance', ['update'])] } }, 'PlanRefused'],
    [
      'the plan replaces the zone',
      { report: { changes: [change('aws_route53_zone', ['delete', 'create'])] } },
      'PlanRefused',
    ],
    [
      'the plan makes an empty database',
      { report: { changes: [change('aws_db_instance', ['create'])] } },
      'PlanRefused',
    ],
  ])('%s', (_, given, name) => {
    expect(nameOf(() => judge(given))).toBe(name);
  });
  it('is waived by name alone, and told', () => {
    const unknown = { looked: { unknown: ['zone: silent'] } };
    expect(nameOf(() => judge({ ...unknown, incident: waiver('protected-resources') }))).toBe('ConfigurationUnknown');
    expect(judge({ ...unknown, incident: waiver(unknownCheck) }).output.question.join()).toMatch(
      /WAIVED by arn:alice.*zone: silent/,
    );
    const destroys = { report: { changes: [change('aws_db_instance', ['delete'])] } };
    expect(nameOf(() => judge({ ...destroys, incident: waiver(unknownCheck) }))).toBe('PlanRefused');
    const waived = judge({ ...destroys, incident: waiver('protected-resources') }).output.question.join();
    expect(waived).toMatch(/DESTROY something.*WAIVED by arn:alice/);
  });
  it('a cluster that Terraform makes anew needs no comparison: all of the overlay is applied', () => {
    const { output } = judge({
      report: { changes: [change('aws_eks_cluster', ['create'], 'stocker')], differences: undefined },
    });
    expect(output.affected).toContainEqual(
      expect.objectContaining({ kind: 'manifest', name: 'everything of overlays/production' }),
    );
    const another = { report: { changes: [change('aws_eks_cluster', ['create'], 'other')], differences: undefined } };
    expect(nameOf(() => judge(another))).toBe('ConfigurationUnknown');
  });
});

describe('after the restoration', () => {
  it.each<[string, Given]>([
    ['a record', { looked: { affected: [record] } }],
    ['a change of Terraform', { report: { changes: [change('aws_eks_node_group', ['update'])] } }],
    ['an object', { report: { differences: ['deployment/stocker-api'] } }],
  ])('%s that is left ends it', (_, given) => {
    expect(nameOf(() => judge({ ...given, after: true }))).toBe('DriftRemains');
  });
  it('unknown does not pass', () => {
    expect(nameOf(() => judge({ looked: { unknown: ['zone: silent'] }, after: true }))).toBe('ConfigurationUnknown');
  });
  it('nothing is left', () => {
    expect(judge({ after: true }).summary).toBe('nothing differs any more');
  });
});

describe('a drill', () => {
  const { drillPrefix } = settings.database;
  const all: Given = {
    looked: { affected: [record, secret] },
    report: { differences: ['deployment/api'] },
    incident: drill,
  };
  it('asks nobody, and must find everything that it lost', () => {
    expect(judge(all).output.approval).toBe('none');
    expect(nameOf(() => judge({ ...all, looked: { affected: [record] } }))).toBe('DriftMissed');
    expect(nameOf(() => judge({ ...all, report: {} }))).toBe('DriftMissed');
    expect(judge({ incident: drill, after: true }).output.affected).toEqual([]);
  });
  it('changes nothing that does not bear its prefix', () => {
    const given = (name: string): Given => ({
      ...all,
      report: { differences: ['deployment/api'], changes: [change('aws_eks_cluster', ['create'], name)] },
    });
    expect(nameOf(() => judge(given('stocker')))).toBe('PlanRefused');
    expect(judge(given(`${drillPrefix}stocker`)).output.applies).toBe(true);
  });
});
