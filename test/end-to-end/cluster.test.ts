/** Production's cluster is lost under load on the embedded cloud, and comes back: from the alarm to clients that go on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decide } from '../../cli/approval.ts';
import { clientsOf } from '../../cli/clients.ts';
import { listIncidents, readApproval } from '../../cli/records.ts';
import { readSteps } from '../../cli/timeline.ts';
import type { IncidentRecord } from '../../core/incident/contracts.ts';
import type { EksService } from '../../local/services/eks/service.ts';
import { type Clients as Writers, startClients } from '../../workload/clients/clients.ts';
import { assemblyOf } from '../lib/stacks.ts';
import { eventually, Rehearsal } from '../support/rehearsal.ts';

let site: Rehearsal;
let writers: Writers;
beforeAll(async () => {
  site = await Rehearsal.start({ environment: 'production', assembly: assemblyOf('production'), cluster: true });
  const url = site.installation.apiUrl;
  writers = startClients({ url, writers: 1, pauseMs: 20, tenant: 2, products: [2, 4], warehouses: [1, 2] });
});
afterAll(async () => {
  await writers?.stop();
  await site?.stop();
});

const name = () => site.installation.configuration.cluster.primary.cluster;
const kubernetes = () => (site.installation.cloud.service('eks', site.region) as EksService).kubernetes(name());
const eks = <O = unknown>(operation: string, input: object) => site.installation.cloud.call<O>('eks', operation, input, site.region);
const table = () => site.names.incidentTable;

/** The newest incident of the cluster that is not one of these, once it is there. */
const incidentBeside = (known: readonly string[]) =>
  eventually('an incident of the cluster', async () =>
    (await listIncidents(site.installation.clients.dynamodb, table(), 10)).find(
      ({ incident }) => incident.scenario === 'cluster' && !known.includes(incident.id),
    ),
  );
const ended = (id: string): Promise<IncidentRecord> =>
  eventually(
    `an end of ${id}`,
    async () => {
      const record = await site.incident(id);
      return record !== undefined && record.status !== 'open' && record;
    },
    async () =>
      (await readSteps(site.installation.clients.dynamodb, table(), id))
        .map(({ step, status, summary }) => `${step} ${status}: ${summary}`)
        .join('\n'),
  );
const answer = async (id: string, decision: 'approve' | 'decline') => {
  const { connection, configuration } = site.installation;
  const dr = clientsOf(connection, configuration.dr.region);
  const question = await eventually('a question', () => readApproval(dr.dynamodb, site.names.controlTable, id));
  expect((await decide(dr.lambda, site.names.lambda('incident/decide-approval'), { incident: id, decision, reason: 'test' })).status).toBe(200);
  return question;
};
const goOn = async () => {
  const begun = writers.ledger.entries.length;
  await eventually('further acknowledged writes', () => writers.ledger.entries.length > begun + 5);
};

describe('a deleted cluster', () => {
  it('is noticed, rebuilt as a person approved, and clients go on at the same address', async () => {
    await goOn();
    await eks('DeleteNodegroup', { clusterName: name(), nodegroupName: 'general' });
    await eks('DeleteCluster', { name: name() });
    const { incident } = await incidentBeside([]);
    expect(incident).toMatchObject({ mode: 'recovery', trigger: { kind: 'alarm' } });
    const { plan } = await answer(incident.id, 'approve');
    expect(plan.changes?.join('\n')).toMatch(/create aws_eks_cluster.this[\s\S]*overlay kubernetes\/overlays\/production/);
    const record = await ended(incident.id);
    expect(record).toMatchObject({ status: 'closed', achieved: { rpoSeconds: 0 } });
    const steps = await readSteps(site.installation.clients.dynamodb, table(), incident.id);
    expect(steps.find(({ step }) => step === 'Rebuild')).toMatchObject({ status: 'succeeded' });
    await goOn();
    expect(await site.lease()).toBeUndefined();
  });
});
