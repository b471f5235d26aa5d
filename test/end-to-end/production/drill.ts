/** A drill as the month brings it: green, row-exact, and nothing of it left. */
import { CreateDBSnapshotCommand, DescribeDBInstancesCommand, DescribeDBSnapshotsCommand } from '@aws-sdk/client-rds';
import { ConfirmSubscriptionCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { connect } from '../../../cli/installation.ts';
import { presentReferences } from '../../../cli/measure.ts';
import type { Report } from '../../../core/evidence/contracts.ts';
import { firstBrokenLink } from '../../../core/evidence/hash-chain.ts';
import type { Service } from '../../../local/kernel.ts';
import type { Mail } from '../../../local/services/sns/delivery.ts';
import { type Clients, startClients } from '../../../workload/clients/clients.ts';
import { type Ended, eventually, Rehearsal } from '../../support/rehearsal.ts';
import { site } from '../site.ts';

describe('a drill', () => {
  let writers: Clients;

  beforeAll(async () => {
    const [products, warehouses] = [
      [2, 4, 6, 8, 10],
      [1, 2, 3, 4],
    ];
    writers = startClients({ url: site.installation.apiUrl, writers: 2, pauseMs: 50, tenant: 2, products, warehouses });
    const first = await eventually('a write', () => writers.ledger.entries[0]?.acknowledgedAt);
    await site.restorable(first + 500);
    await site.ignoreAlarms();
  });
  afterAll(async () => {
    await writers?.stop();
  });

  async function production() {
    const DBInstanceIdentifier = site.installation.configuration.database.identifier;
    const { DBInstances = [] } = await site.installation.clients.rds.send(
      new DescribeDBInstancesCommand({ DBInstanceIdentifier }),
    );
    return DBInstances[0] ?? {};
  }

  /** What a drill must leave as it is: settings, roles, and every row that the clients do not write. */
  async function fingerprint() {
    const { LatestRestorableTime: _moves, ...settings } = await production();
    const [roles, rows, queues] = await Promise.all([
      site.sql(`select rolname, rolcanlogin, rolsuper, rolcreaterole, rolconnlimit, rolvaliduntil, rolconfig,
        array(select roleid::regrole::text from pg_auth_members where member = r.oid order by 1) as groups
        from pg_roles r order by 1`),
      site.sql(`select
        (select sum(hash_record_extended(t, 0)) from stocker.tenant t) as tenants,
        (select sum(hash_record_extended(t, 0)) from stocker.product t) as products,
        (select sum(hash_record_extended(t, 0)) from stocker.warehouse t) as warehouses,
        (select sum(hash_record_extended(t, 0)) from stocker.customer_order t) as orders,
        (select sum(hash_record_extended(t, 0)) from stocker.order_line t) as lines,
        (select sum(hash_record_extended(t, 0)) from stocker.stock t where product_id not in (2, 4, 6, 8, 10)) as stock,
        (select sum(hash_record_extended(t, 0)) from stocker.stock_movement t where reason not like 'ledger:%') as movements`),
      site.parameter(site.installation.configuration.application.databaseEndpointParameter),
    ]);
    return { settings, roles, rows, queues };
  }

  /** Reads which acknowledged writes the copy holds, at the moment of its deletion. */
  function readCopy(): Promise<ReadonlySet<string>> {
    const { configuration, cloud, clients, database } = site.installation;
    return site.atStep('TearDown', async () => {
      const { DBInstances = [] } = await clients.rds.send(new DescribeDBInstancesCommand({}));
      const copy = DBInstances.find(({ DBInstanceIdentifier }) => DBInstanceIdentifier?.startsWith('dr-drill-'));
      const at = { address: copy?.Endpoint?.Address ?? '', port: copy?.Endpoint?.Port ?? 0, master: database.master };
      const session = await connect(at, configuration.database.name, cloud.certificateAuthority);
      return presentReferences(session).finally(() => session.end());
    });
  }

  interface Inbox extends Service {
    mailbox(): readonly Mail[];
    pendingConfirmations(): readonly { readonly endpoint: string; readonly token: string }[];
  }

  /** A person who reads the mail of a topic. */
  async function subscribe(topic: string): Promise<() => string[]> {
    const sns = new SNSClient({ ...site.installation.connection, region: site.region });
    const service = site.installation.cloud.service('sns', site.region) as Inbox;
    const TopicArn = site.names.topicArn(site.region, topic);
    const Endpoint = `${topic}@company.com`;
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'email', Endpoint }));
    const { token: Token } = await eventually('a mail to confirm', () =>
      service.pendingConfirmations().find(({ endpoint }) => endpoint === Endpoint),
    );
    await sns.send(new ConfirmSubscriptionCommand({ TopicArn, Token }));
    return () =>
      service
        .mailbox()
        .filter(({ to }) => to === Endpoint)
        .map(({ body }) => body);
  }

  describe('the monthly drill', () => {
    let ended: Ended;
    let report: Report;
    let before: Awaited<ReturnType<typeof fingerprint>>;
    let present: ReadonlySet<string>;
    let internal: () => string[];
    let customers: () => string[];

    beforeAll(async () => {
      const { cloud, configuration } = site.installation;
      internal = await subscribe(site.names.internalTopic);
      customers = await subscribe(site.names.customersTopic);
      before = await fingerprint();
      const copy = readCopy();
      await site.settled(); // a scheduled drill gives way to an alarm
      const known = await site.executions();
      await cloud.fireSchedule(site.names.schedule('database-drill'), configuration.primary.region);
      const arn = await eventually('an execution of the schedule', async () =>
        (await site.executions()).find((each) => !known.includes(each)),
      );
      [ended, present] = await Promise.all([site.end(arn), copy]);
      report = await site.report(ended.incident);
    });

    test('is started by the synthesized schedule and ends green, within its objectives', async () => {
      expect(ended).toMatchObject({ status: 'SUCCEEDED', cause: '' });
      expect(report.record).toMatchObject({
        status: 'closed',
        incident: { id: ended.incident, mode: 'drill', trigger: { kind: 'schedule' } },
      });
      expect(report.objectives.map(({ name, met }) => `${name} ${met}`)).toEqual(['RTO met', 'RPO met']);
      expect(report.validation.filter(({ verdict }) => verdict !== 'passed')).toEqual([]);
      expect(new Set(report.validation.map(({ step }) => step))).toEqual(new Set(['CheckGate', 'CheckDeep']));
    });

    test('leaves nothing behind', async () => {
      expect(await site.leftovers()).toEqual([]);
    });

    test('records the trend', async () => {
      const points = (await site.records()).filter(({ pk }) => pk === 'trend#database#drill');
      expect(points).toMatchObject([{ incidentId: ended.incident, succeeded: true }]);
      expect(report.trend.map(({ incidentId }) => incidentId)).toEqual([ended.incident]);
    });

    test('restores every write acknowledged by the restore point and none sent after it', async () => {
      // RDS chooses the latest time when it is asked: not before the one that was planned.
      const finished = (name: string) => report.timeline.find(({ step }) => step === name);
      const notBefore = Date.parse(String(finished('AssessDatabase')?.facts.restorePoint));
      const bounds = { notBefore, notAfter: Date.parse(finished('RestoreDatabase')?.finishedAt ?? '') };
      const verdict = writers.ledger.compare(present, bounds);
      expect(verdict).toMatchObject({ missing: [], surplus: [], inverted: [] });
      expect(verdict.provenPresent).toBeGreaterThan(0);
      expect(verdict.provenAbsent).toBeGreaterThan(0);
      // Control: against another moment, or with a row lost, the same ledger objects.
      const early = writers.ledger.entries[0]?.sentAt ?? 0;
      expect(writers.ledger.compare(present, { notBefore: early, notAfter: early - 1 }).surplus).not.toEqual([]);
      const lost = new Set([...present].slice(1));
      expect(writers.ledger.compare(lost, bounds).missing).toHaveLength(1);
    });

    test('keeps a report whose hash chain holds, and shows the record that was changed', () => {
      expect(firstBrokenLink(report)).toBeUndefined();
      const forged = structuredClone(report);
      const step = forged.timeline.find((each) => each.step === 'JudgeGate');
      Object.assign(step ?? {}, { summary: 'gate passed: 99 pieces' });
      expect(firstBrokenLink(forged)).toBe('JudgeGate');
    });

    test('tells the team in plain text and in the chat’s schema, and customers nothing', async () => {
      const texts = internal().filter((text) => text.includes(ended.incident));
      expect(texts).toHaveLength(3);
      for (const text of texts) expect(text).toMatch(/^DRILL - production - [\s\S]*\nNext: /);
      expect(customers()).toEqual([]);
      const chats = site.notices.map(({ chat }) => chat as Record<string, Record<string, unknown>>);
      const own = chats.filter((chat) => chat?.metadata?.threadId === ended.incident);
      expect(own.map((chat) => chat.metadata?.eventType)).toEqual(['declared', 'milestone', 'resolved']);
      for (const chat of own) expect(chat).toMatchObject({ version: '1.0', source: 'custom' });
      // Control: customers do receive what is published to their topic.
      const TopicArn = site.names.topicArn(site.region, site.names.customersTopic);
      await site.installation.cloud.call('sns', 'Publish', { TopicArn, Message: 'control' }, site.region);
      expect(await eventually('the control', () => customers()[0])).toBe('control');
    });

    test('shows no password in history, state, timeline, logs, messages or reports', async () => {
      const { html = '' } = report.record.reports ?? {};
      const [, Bucket = '', Key = ''] = /^s3:\/\/([^/]+)\/(.+)$/.exec(html) ?? [];
      const { Body } = await site.installation.cloud.call<{ Body: unknown }>(
        's3',
        'GetObject',
        { Bucket, Key },
        site.region,
      );
      const page = Buffer.from(await collect(Body)).toString();
      const places = {
        history: JSON.stringify(await site.history(ended.arn)),
        state: JSON.stringify([await site.records(), await site.controls()]),
        logs: (await site.logs()).join('\n'),
        messages: JSON.stringify(site.notices),
        report: JSON.stringify(report),
        page,
      };
      const holding = (text: string) =>
        Object.entries(places)
          .filter(([, content]) => content.includes(text))
          .map(([place]) => place);
      const secrets = await site.secrets();
      expect(secrets).toHaveLength(4);
      for (const { username, password } of secrets)
        expect({ username, in: holding(password) }).toEqual({ username, in: [] });
      // Control: each place is searched where something of this drill is written.
      expect(holding(ended.incident)).toEqual(Object.keys(places));
    });

    test('does not touch production: settings, roles and rows are as before, and no client was refused', async () => {
      expect(await fingerprint()).toEqual(before);
      expect(writers.ledger.failures).toEqual([]);
      // Control: the fingerprint sees a changed row and a fenced role.
      await site.sql('update stocker.order_line set quantity = quantity + 1 where order_id = 1 and line = 1');
      const changed = await fingerprint();
      await site.sql('update stocker.order_line set quantity = quantity - 1 where order_id = 1 and line = 1');
      expect(changed.rows).not.toEqual(before.rows);
      expect(changed.roles).toEqual(before.roles);
    });
  });

  describe('a drill by hand', () => {
    test('restores row-exactly to a time', async () => {
      const moment = Date.now();
      await site.restorable(moment + 500);
      const copy = readCopy();
      const restoreTo = new Date(moment).toISOString();
      const ended = await site.drill({ restoreTo });
      expect(ended).toMatchObject({ status: 'SUCCEEDED', cause: '' });
      expect((await site.step(ended.incident, 'AssessDatabase'))?.facts.restorePoint).toBe(restoreTo);
      const verdict = writers.ledger.compare(await copy, { notBefore: moment, notAfter: moment });
      expect(verdict).toMatchObject({ missing: [], surplus: [], inverted: [] });
      expect(Math.min(verdict.provenPresent, verdict.provenAbsent)).toBeGreaterThan(0);
      expect(await site.leftovers()).toEqual([]);
    });

    test('neither disturbs another cloud on this machine nor is disturbed by it', async () => {
      const neighbour = await Rehearsal.start({ environment: 'production', assembly: inject('assemblies').production });
      try {
        await neighbour.ignoreAlarms();
        // The same id makes the same names.
        const requestId = 'at-the-same-time';
        const ours = await site.drill({ requestId });
        const theirs = await neighbour.drill({ requestId, target: 'nobody' });
        expect(ours).toMatchObject({ status: 'SUCCEEDED', cause: '' });
        expect(theirs).toMatchObject({ status: 'FAILED', error: 'InvalidRequest' });
        expect(await neighbour.incidents()).toEqual([]);
        expect((await site.incidents()).map(({ incident }) => incident.executionArn)).not.toContain(theirs.arn);
        expect(neighbour.notices.filter(({ text }) => text.includes(ours.arn))).toEqual([]);
        expect(await neighbour.leftovers()).toEqual([]);
      } finally {
        await neighbour.stop();
      }
      // The end of one leaves the other alive.
      expect(await site.leftovers()).toEqual([]);
      expect(await site.sql('select 1 as alive')).toEqual([{ alive: 1 }]);
      expect(writers.ledger.failures).toEqual([]);
    });

    test('restores row-exactly from a named snapshot', async () => {
      const { rds } = site.installation.clients;
      const id = { DBSnapshotIdentifier: 'before-the-release' };
      const asked = Date.now();
      await rds.send(
        new CreateDBSnapshotCommand({ ...id, DBInstanceIdentifier: (await production()).DBInstanceIdentifier }),
      );
      await eventually('a snapshot', async () => {
        const { DBSnapshots = [] } = await rds.send(new DescribeDBSnapshotsCommand(id));
        return DBSnapshots[0]?.Status === 'available';
      });
      const made = Date.now();
      const copy = readCopy();
      const ended = await site.drill({ restoreTo: { snapshot: id.DBSnapshotIdentifier } });
      expect(ended).toMatchObject({ status: 'SUCCEEDED', cause: '' });
      const verdict = writers.ledger.compare(await copy, { notBefore: asked, notAfter: made });
      expect(verdict).toMatchObject({ missing: [], surplus: [], inverted: [] });
      expect(Math.min(verdict.provenPresent, verdict.provenAbsent)).toBeGreaterThan(0);
      expect(await site.leftovers()).toEqual([]);
    });
  });

  async function collect(body: unknown): Promise<Buffer> {
    if (body instanceof Uint8Array) return Buffer.from(body);
    const chunks: Buffer[] = [];
    for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }
});
