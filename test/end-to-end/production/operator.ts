/** A person at a terminal on the worst day: the command line as it is typed, against a served cloud. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { clientsOf } from '../../../cli/clients.ts';
import { exitCodes } from '../../../cli/exit-codes.ts';
import { eventually } from '../../support/rehearsal.ts';
import { site } from '../site.ts';

describe('a person at a terminal', () => {
  let environment: NodeJS.ProcessEnv;
  const children = new Set<ChildProcess>();

  beforeAll(async () => {
    await site.heedAlarms();
    await site.settled();
    const { cloud, connection } = site.installation;
    environment = {
      PATH: process.env.PATH,
      // Nothing of this machine's own configuration.
      HOME: cloud.dataDirectory,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ENDPOINT_URL: cloud.endpoint,
      AWS_ACCESS_KEY_ID: connection.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: connection.credentials.secretAccessKey,
    };
  });
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
  });

  interface Typed {
    /** What it has printed so far. */
    readonly said: () => string;
    readonly complained: () => string;
    readonly ended: Promise<number | null>;
    interrupt(): void;
  }

  /** A command, typed at once; `over` replaces variables of its environment. */
  function type(argv: readonly string[], over: NodeJS.ProcessEnv = {}): Typed {
    const bin = join(import.meta.dirname, '../../../bin/dr.ts');
    const child = spawn(process.execPath, [bin, ...argv], { env: { ...environment, ...over } });
    children.add(child);
    let [out, complaints] = ['', ''];
    child.stdout.on('data', (data) => {
      out += data;
    });
    child.stderr.on('data', (data) => {
      complaints += data;
    });
    const ended = new Promise<number | null>((resolve) => {
      child.once('close', (code) => {
        children.delete(child);
        resolve(code);
      });
    });
    return { said: () => out, complained: () => complaints, ended, interrupt: () => child.kill('SIGINT') };
  }

  async function run(...argv: string[]): Promise<{ code: number | null; out: string; complaints: string }> {
    const typed = type(argv);
    const code = await typed.ended;
    return { code, out: typed.said(), complaints: typed.complained() };
  }

  const says = (typed: Typed, text: string) => eventually(`"${text}"`, () => typed.said().includes(text));

  /** Starts a recovery of production and returns its incident, as a person reads it. */
  async function startRecovery(reason: string): Promise<string> {
    const { code, out } = await run('start', '--mode', 'recovery', '--confirm', 'production', '--reason', reason);
    expect(code).toBe(exitCodes.passed);
    return /^Started: (recovery-\S+)$/m.exec(out)?.[1] ?? out;
  }

  const asks = (incident: string) =>
    eventually(`a question of ${incident}`, async () =>
      (await site.controls()).find(
        ({ pk, executionArn }) => pk === `approval#${incident}` && executionArn !== undefined,
      ),
    );

  /** As if it had been so for this many minutes: nobody waits that long for a test. */
  async function backdate(
    region: string,
    table: string,
    key: { pk: string; sk: string },
    field: string,
    minutes: number,
  ) {
    const { dynamodb } = clientsOf(site.installation.connection, region);
    await dynamodb.send(
      new UpdateItemCommand({
        TableName: table,
        Key: { pk: { S: key.pk }, sk: { S: key.sk } },
        UpdateExpression: 'SET #field = :then',
        ExpressionAttributeNames: { '#field': field },
        ExpressionAttributeValues: { ':then': { S: new Date(Date.now() - minutes * 60_000).toISOString() } },
      }),
    );
  }

  /** What people read who sit at no terminal. */
  const isTold = (text: string) =>
    eventually(`a message "${text}"`, () => site.notices.find(({ subject }) => subject.includes(text)));

  describe('an operator', () => {
    test('starts a recovery, sees what it asks, watches it live, approves it, and is told what is left to do', async () => {
      expect(await run('status')).toMatchObject({
        code: exitCodes.passed,
        // The first backup is not made yet, and that rings.
        out: expect.stringMatching(/recovery +none is running[\s\S]*No alarm tells of a lost database/),
      });
      const incident = await startRecovery('stock dropped by mistake');
      const watching = type(['watch', incident]);
      const approve = `npm run dr -- approve ${incident} --reason "…"`;
      // The end of the question: a terminal may show it in pieces.
      await says(watching, approve);
      expect(watching.said()).toMatch(/✓ AssessDatabase[\s\S]*Without an answer it is declined at [\s\S]*, in \d/);
      const { out: status } = await run('status');
      expect(status).toMatch(new RegExp(`recovery +${incident}: stock dropped by mistake`));
      expect(status).toMatch(/ of the RTO of 1 h, since /);
      expect(status).toContain(`Next\n  ${approve}`);

      // Ctrl-C ends the watching, not the recovery.
      const impatient = type(['watch']);
      await says(impatient, 'Approval wanted');
      impatient.interrupt();
      expect(await impatient.ended).toBe(exitCodes.interrupted);
      expect(impatient.complained()).toContain(`npm run dr -- watch ${incident}`);

      const refused = await run('approve', incident, '--reason', 'go', '--restore-to', '2020-01-01T00:00:00Z');
      expect(refused).toMatchObject({ code: exitCodes.usage, complaints: expect.stringMatching(/Restorable: from /) });
      expect(await run('approve', incident, '--reason', 'go')).toMatchObject({
        code: exitCodes.passed,
        out: expect.stringMatching(new RegExp(`approved by arn:.*\\nFollow it: npm run dr -- watch ${incident}`)),
      });
      await says(watching, 'FenceSource');
      // The first decision stands; a second one is told which it was.
      expect(await run('decline', incident, '--reason', 'no')).toMatchObject({
        code: exitCodes.failed,
        complaints: expect.stringMatching(/was approved at .* \("go"\)\. The first decision stands\./),
      });
      expect(await watching.ended).toBe(exitCodes.passed);
      expect(watching.said()).toMatch(/✓ RequestApproval .* approved by .*: "go"\n.*✓ Replan /);
      expect(watching.said()).toMatch(
        /✓ CutOver[\s\S]*The recovery succeeded within its objectives[\s\S]*RTO +1 h .* met/,
      );
      expect(watching.said()).toMatch(/Next[\s\S]*out of Terraform’s state[\s\S]*npm run dr -- watch/);
      expect(await run('retry', incident)).toMatchObject({
        code: exitCodes.usage,
        complaints: expect.stringContaining('nothing to retry'),
      });
    });

    test('declines a recovery, and nothing was changed', async () => {
      const incident = await startRecovery('a false alarm');
      await asks(incident);
      const { dr } = site.installation.configuration;
      await backdate(dr.region, site.names.controlTable, { pk: `approval#${incident}`, sk: 'approval' }, 'askedAt', 6);
      expect((await isTold('Reminder: approve')).text).toContain(`npm run dr -- decline ${incident}`);
      const second = await run('start', '--mode', 'recovery', '--confirm', 'production', '--reason', 'a second one');
      expect(second).toMatchObject({ code: exitCodes.failed, complaints: expect.stringContaining(incident) });
      expect(await run('decline', incident, '--reason', 'all is well')).toMatchObject({
        code: exitCodes.passed,
        out: expect.stringContaining(`npm run dr -- retry ${incident}`),
      });
      const watched = await run('watch', incident);
      expect(watched).toMatchObject({
        code: exitCodes.failed,
        out: expect.stringMatching(/The recovery was declined; nothing was changed/),
      });
      expect(await run('cancel', incident, '--reason', 'late', '--yes')).toMatchObject({
        code: exitCodes.failed,
        complaints: expect.stringContaining('nothing to cancel'),
      });
    });

    test('cancels a recovery half-way, takes it up again, approves it and sees it through', async () => {
      const incident = await startRecovery('the wrong restore point');
      await asks(incident);
      let wasStopped = () => {};
      const stopped = new Promise<void>((resolve) => {
        wasStopped = resolve;
      });
      const restoring = site.atStep('AwaitAvailable', () => stopped);
      expect((await run('approve', incident, '--reason', 'go')).code).toBe(exitCodes.passed);
      await eventually('a restore', async () => (await site.step(incident, 'RestoreDatabase'))?.status === 'succeeded');
      const taken = { pk: `incident#${incident}`, sk: 'step#TakeLease' };
      await backdate(site.region, site.names.incidentTable, taken, 'startedAt', 31);
      expect((await isTold('The recovery goes on')).text).toMatch(
        /^Now: (?!RequestApproval).*\nBefore: (?!TakeLease).*\nForecast: /m,
      );
      // Control: without --yes, and without a terminal to ask on, nothing is stopped.
      expect((await run('cancel', incident, '--reason', 'no')).code).toBe(exitCodes.usage);
      expect(await run('cancel', incident, '--reason', 'wrong restore point', '--yes')).toMatchObject({
        code: exitCodes.passed,
        out: expect.stringMatching(/is stopped\. What it changed is undone now/),
      });
      wasStopped();
      await restoring;
      const watched = await run('watch', incident);
      expect(watched.code).toBe(exitCodes.failed);
      expect(watched.out).toMatch(
        /The recovery was stopped[\s\S]*Stopped: wrong restore point\n +Undone: .* takes the writes of stocker_app again/,
      );
      expect((await run('status')).out).toContain(`npm run dr -- retry ${incident}`);

      expect(await run('retry', incident, '--reason', 'the right one now')).toMatchObject({
        code: exitCodes.passed,
        out: expect.stringContaining(`Taken up again: ${incident}`),
      });
      const watching = type(['watch', incident]);
      await says(watching, 'Approval wanted');
      expect((await run('approve', incident, '--reason', 'go')).code).toBe(exitCodes.passed);
      expect(await watching.ended).toBe(exitCodes.passed);
    });
  });

  describe('what cannot work says what can', () => {
    const unknown = 'recovery-20200101T000000Z-0badcafe';

    test.each([
      { case: 'watch', argv: ['watch', unknown] },
      { case: 'approve', argv: ['approve', unknown, '--reason', 'x'] },
      { case: 'decline', argv: ['decline', unknown, '--reason', 'x'] },
      { case: 'cancel', argv: ['cancel', unknown, '--reason', 'x', '--yes'] },
      { case: 'retry', argv: ['retry', unknown] },
    ])('$case of an unknown incident', async ({ argv }) => {
      const { code, out, complaints } = await run(...argv);
      expect({ code, out }).toEqual({ code: exitCodes.usage, out: '' });
      expect(complaints).toContain(`There is no incident ${unknown} in us-east-1, production.`);
      expect(complaints).toContain('npm run dr -- status');
    });

    test.each([
      { case: 'nobody listens', over: { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }, says: 'npm run cloud' },
      {
        case: 'nobody signed in',
        over: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined },
        says: 'aws sso login',
      },
    ])('status where $case', async ({ over, says: fix }) => {
      const typed = type(['status'], over);
      expect(await typed.ended).toBe(exitCodes.broken);
      expect(typed.complained()).toContain(fix);
      expect(typed.complained()).not.toContain('    at ');
    });

    test('status of an environment that is not deployed there', async () => {
      const { code, complaints } = await run('status', '--environment', 'staging');
      expect({ code, complaints }).toEqual({
        code: exitCodes.broken,
        complaints: expect.stringContaining('--environment'),
      });
    });
  });
});
