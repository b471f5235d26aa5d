/** Recoveries of production as people run them on a rehearsal, and what must be true of production afterwards. */
import {
  type DBInstance,
  DeleteDBInstanceCommand,
  ModifyDBInstanceCommand,
  paginateDescribeDBInstances,
} from '@aws-sdk/client-rds';
import { expect } from 'vitest';
import { type Answer, decide } from '../../cli/approval.ts';
import { clientsOf } from '../../cli/clients.ts';
import { probe } from '../../cli/production.ts';
import { readActiveDatabase, readApproval } from '../../cli/records.ts';
import type { ActiveDatabase, Approval, RestoreTo } from '../../core/incident/contracts.ts';
import { type Overlap, overlaps, type Prober } from '../../workload/clients/prober.ts';
import { type Ended, eventually, type Rehearsal } from './rehearsal.ts';

export interface Begun {
  readonly arn: string;
  readonly incident: string;
}

/** What a person may say to the question, beside approve or decline. */
export interface Words {
  readonly reason?: string;
  readonly restoreTo?: RestoreTo;
}

/** Everything that a recovery which did not succeed must leave as it was. */
export interface ProductionBefore {
  readonly active: ActiveDatabase | undefined;
  readonly endpoint: string | undefined;
  readonly roles: readonly object[];
}

/** Production with a prober that writes to every instance, all the time. */
export class Production {
  readonly #site: Rehearsal;
  readonly #prober: Prober;

  constructor(site: Rehearsal) {
    this.#site = site;
    this.#prober = probe(site.installation);
  }

  stop(): Promise<void> {
    return this.#prober.stop();
  }

  get #dr() {
    const { connection, configuration } = this.#site.installation;
    return clientsOf(connection, configuration.dr.region);
  }

  /** Starts a recovery by hand and returns once its incident is open. */
  async begin(request: Readonly<Record<string, unknown>> = {}): Promise<Begun> {
    const { environment } = this.#site.installation.configuration;
    const input = { mode: 'recovery', confirm: environment, reason: 'end-to-end test', ...request };
    const arn = await this.#site.begin(input);
    const opened = async () => {
      const all = await this.#site.incidents();
      const found = all.find(({ incident, status }) => incident.executionArn === arn && status === 'open');
      if (found) return found;
      const { status, cause } = await this.#site.execution(arn);
      if (status !== 'RUNNING') throw new Error(`${arn} opened no incident and ended ${status}: ${cause}`);
      return undefined;
    };
    const { incident } = await eventually(`an incident of ${arn}`, opened);
    return { arn, incident: incident.id };
  }

  /** Resolves once the execution waits for a person. */
  async asked({ arn, incident }: Begun): Promise<Approval> {
    const table = this.#site.names.controlTable;
    return eventually(`a question of ${incident}`, async () => {
      const approval = await readApproval(this.#dr.dynamodb, table, incident);
      if (approval?.executionArn === arn) return approval;
      const { status, cause } = await this.#site.execution(arn);
      if (status !== 'RUNNING') throw new Error(`${arn} asked nobody and ended ${status}: ${cause}`);
      return undefined;
    });
  }

  answer({ incident }: Begun, decision: 'approve' | 'decline', words: Words = {}): Promise<Answer> {
    const name = this.#site.names.lambda('incident/decide-approval');
    return decide(this.#dr.lambda, name, { incident, decision, reason: 'end-to-end test', ...words });
  }

  /** Starts a recovery by hand and approves it. */
  async approved(request: Readonly<Record<string, unknown>> = {}, words: Words = {}): Promise<Begun> {
    const begun = await this.begin(request);
    const { plan } = await this.asked(begun);
    // Until the sentinel has looked at what a cut-over made production, a person says to which point.
    const isLeftToPeople = plan.restorePoint === undefined && plan.changes === undefined;
    const chosen = isLeftToPeople ? { restoreTo: 'latest', ...words } : words;
    expect(await this.answer(begun, 'approve', chosen)).toMatchObject({ status: 200 });
    return begun;
  }

  /** Starts a recovery by hand, approves it and waits for its end. */
  async recover(request: Readonly<Record<string, unknown>> = {}, words: Words = {}): Promise<Ended> {
    return this.end(await this.approved(request, words));
  }

  async end({ arn, incident }: Begun): Promise<Ended> {
    return { ...(await this.#site.end(arn)), incident };
  }

  /** The drill that follows a recovery is shown elsewhere: ends it, so that it takes no time from what comes next. */
  async stopFollowUp({ incident }: { readonly incident: string }): Promise<void> {
    const arn = (await this.#site.executions()).find((each) => each.endsWith(`follow-up-${incident}`));
    if (arn === undefined) throw new Error(`No drill followed ${incident}`);
    // Before it has the lease, a function of it may open its incident behind the clean-up of what was stopped: then the
    // sweep closes that, a quarter of an hour later.
    await eventually('the lease of that drill, or its end', async () => {
      const isUnderWay = (await this.#site.lease())?.executionArn === arn;
      return isUnderWay || (await this.#site.execution(arn)).status !== 'RUNNING';
    });
    await this.#site.halt(arn);
    await eventually('the end of that drill', async () => {
      const open = (await this.#site.incidents()).filter(({ status }) => status === 'open');
      return open.length === 0 && (await this.#site.lease()) === undefined;
    });
  }

  active(): Promise<ActiveDatabase | undefined> {
    return readActiveDatabase(this.#dr.dynamodb, this.#site.names.controlTable);
  }

  async before(): Promise<ProductionBefore> {
    const { configuration } = this.#site.installation;
    const [active, endpoint] = await Promise.all([
      this.active(),
      this.#site.parameter(configuration.application.databaseEndpointParameter),
    ]);
    const roles = await this.#site.sql('select rolname, rolcanlogin from pg_roles order by 1', active?.port);
    return { active, endpoint, roles };
  }

  /** The instances that the prober wrote to since `from` (epoch milliseconds), by name. */
  acceptedSince(from: number): string[] {
    const { intervals } = this.#prober.acceptance;
    return [...new Set(intervals.filter(({ last }) => last.sentAt >= from).map(({ instance }) => nameOf(instance)))];
  }

  /** How many of the prober’s writes to production were refused so far. */
  refusals(): number {
    const { identifier } = this.#site.installation.configuration.database;
    const counts = [...this.#prober.acceptance.refused].filter(([instance]) => nameOf(instance) === identifier);
    return counts.reduce((sum, [, count]) => sum + count, 0);
  }

  /** Never did two databases accept the application’s writes at a time. */
  expectOneAtMost(): void {
    expect(this.overlaps()).toEqual([]);
  }

  overlaps(): Overlap[] {
    return overlaps(this.#prober.acceptance.intervals);
  }

  /** What a recovery that did not succeed must leave: production open as before, and it alone; no lease; people told. */
  async expectAsBefore(before: ProductionBefore, { incident }: { readonly incident: string }): Promise<void> {
    await eventually('a closed incident', async () => (await this.#site.incident(incident))?.status !== 'open');
    // It may not have taken the lease yet: what it opened is closed by the clean-up of what was stopped.
    await eventually('the end of that drill', async () => {
      const open = (await this.#site.incidents()).filter(({ status }) => status === 'open');
      return open.length === 0 && (await this.#site.lease()) === undefined;
    });
    await this.expectOnlyWritesTo(before.active?.identifier ?? '');
    const { active, ...rest } = await this.before();
    // Whoever opens the source again raises the epoch first, each time, so that a late cut-over comes too late.
    const epoch = active?.epoch ?? 0;
    expect({ active: { ...active, epoch: 0 }, ...rest }).toEqual({ ...before, active: { ...before.active, epoch: 0 } });
    expect(epoch).toBeGreaterThanOrEqual(before.active?.epoch ?? 0);
    this.expectOneAtMost();
    expect(await this.#site.incident(incident)).toMatchObject({ status: 'failed' });
    expect(this.toldOf(incident).join()).toMatch(/The recovery (failed|was declined|was stopped)/);
  }

  /** Waits until this database accepts the application’s writes, and sees that no other one does. */
  async expectOnlyWritesTo(identifier: string): Promise<void> {
    const begun = Date.now();
    await eventually(`writes to ${identifier}`, () => this.acceptedSince(begun).includes(identifier));
    const now = Date.now();
    await eventually(`more writes to ${identifier}`, () => this.acceptedSince(now).includes(identifier));
    expect(this.acceptedSince(now)).toEqual([identifier]);
  }

  /** What people were told of an incident, in the order of telling. */
  toldOf(incident: string): string[] {
    return this.#site.notices.map(({ text }) => text).filter((text) => text.includes(incident));
  }

  private async describeInstances(): Promise<DBInstance[]> {
    const found: DBInstance[] = [];
    const client = this.#site.installation.clients.rds;
    for await (const { DBInstances = [] } of paginateDescribeDBInstances({ client }, {})) found.push(...DBInstances);
    return found;
  }
  async instances(): Promise<string[]> {
    return (await this.describeInstances()).map(({ DBInstanceIdentifier = '' }) => DBInstanceIdentifier);
  }

  /** Instances beside the active database: copies that recoveries kept as evidence. */
  async copies(): Promise<string[]> {
    const active = await this.active();
    return (await this.instances()).filter((name) => name !== active?.identifier);
  }

  /** What a person does when the review is held. */
  async removeCopies(): Promise<void> {
    const { rds } = this.#site.installation.clients;
    const active = await this.active();
    for (const { DBInstanceIdentifier, DeletionProtection } of await this.describeInstances()) {
      if (DBInstanceIdentifier === active?.identifier) continue;
      if (DeletionProtection)
        await rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier, DeletionProtection: false }));
      await rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier, SkipFinalSnapshot: true }));
    }
    await eventually('the end of the copies', async () => (await this.copies()).length === 0);
  }
}

/** The prober says `name (resource id)`. */
const nameOf = (label: string) => label.split(' ')[0] ?? label;
