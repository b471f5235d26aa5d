/** Sees what only matters where production may be in either Region: who takes writes beside whom, where clients are led, what the record says. */
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Call } from '../../local/kernel.ts';
import type { SfnService } from '../../local/services/sfn/index.ts';
import type { Site } from './site.ts';
import { leadOf } from './standby.ts';
import { machineOf } from './start.ts';
import type { Story } from './story.ts';
import type { Seen, Witness } from './witness.ts';

/** A time in which two databases took the application's writes, and one of them was production by the record. */
export interface Overlap {
  readonly former: string;
  readonly from: number;
  until?: number;
}

/** The active-database record, as it was written. */
export interface ActiveRecord {
  readonly at: number;
  readonly epoch: number;
  readonly identifier: string;
  readonly resourceId: string;
  readonly region: string;
}

/** Where clients are led from a moment on. */
export interface Led {
  readonly at: number;
  readonly region: string;
}

const lookMs = 5_000;

export class RegionWitness {
  readonly overlaps: Overlap[] = [];
  readonly records: ActiveRecord[] = [];
  readonly led: Led[] = [];
  readonly #site: Site;
  readonly #story: Story;
  readonly #witness: Witness;
  #stopped = false;

  constructor(site: Site, story: Story, witness: Witness) {
    this.#site = site;
    this.#story = story;
    this.#witness = witness;
    // Made apart: see decisions/0023.
    const judge = (accepting: readonly string[]) => this.#judgeAccepting(accepting);
    witness.judgeAccepting = judge;
    this.#followRecord();
    this.#followPromotions();
    this.#followControlPlanes();
    this.#followJudgements();
    void this.#followTraffic();
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Recoveries of a machine, drills left out. */
  recoveriesOf(machine: string): Seen[] {
    return [...this.#witness.executions.values()].filter(
      ({ arn, input }) => machineOf(arn, this.#site) === machine && input.mode === 'recovery',
    );
  }

  /**
   * Invariant 1, at every change of who takes writes: beside production by the record nobody, but for what returned from a
   * lost Region in the default mode. With strict fencing nobody ever.
   */
  #judgeAccepting(accepting: readonly string[]): void {
    const now = this.#site.world.clock.now();
    const active = this.records.at(-1);
    const { identifier: production } = active ?? { identifier: this.#site.configuration.database.identifier };
    const original = this.#site.configuration.database.identifier;
    const isStrict = this.#site.configuration.region.fencing.mode === 'strict';
    // What the application was never led to takes nothing of it: a replica is open from its promotion until it is fenced.
    const isKnown = (each: string) =>
      each === original || this.#witness.moves.some(({ identifier }) => identifier === each);
    const beside = accepting.length > 1 ? accepting.filter((each) => each !== production && isKnown(each)) : [];
    for (const overlap of this.overlaps)
      if (overlap.until === undefined && !beside.includes(overlap.former)) overlap.until = now;
    for (const former of beside) {
      if (this.overlaps.some((each) => each.former === former && each.until === undefined)) continue;
      this.overlaps.push({ former, from: now });
      this.#story.tell(`${former} takes the application's writes beside ${production}`);
      const isUngraceful = this.recoveriesOf('region-failover').some(({ input }) => input.style !== 'graceful');
      if (isStrict || !isUngraceful || former !== original || !accepting.includes(production))
        this.#witness.violate(1, `${former} takes the application's writes beside ${production}`);
    }
  }

  #at(
    service: Parameters<Site['call']>[0],
    operation: string,
    see: (input: Readonly<Record<string, unknown>>, call: Call) => void,
  ): void {
    this.#site.cloud.faults.inject({
      service,
      operation,
      effect: { kind: 'lose-answer' },
      where(input, call) {
        see(input, call);
        return false;
      },
    });
  }

  /** The record only grows, and never names what is not there. */
  #followRecord(): void {
    this.#at('dynamodb', 'PutItem', ({ TableName, Item }) => {
      if (TableName !== this.#site.names.controlTable) return;
      const item = unmarshall(Item as Parameters<typeof unmarshall>[0]);
      if (item.pk !== 'active-database') return;
      const record = { ...item, at: this.#site.world.clock.now() } as unknown as ActiveRecord;
      const before = this.records.at(-1);
      this.records.push(record);
      this.#story.tell(`the record: ${record.identifier} in ${record.region} at epoch ${record.epoch}`);
      if (before !== undefined && record.epoch <= before.epoch)
        this.#witness.violate(1, `the epoch went from ${before.epoch} to ${record.epoch}`);
      const isThere = this.#witness
        .standing()
        .some(({ identifier, region }) => identifier === record.identifier && region === record.region);
      if (!isThere)
        this.#witness.violate(1, `the record names ${record.identifier} in ${record.region}, which is not there`);
      this.#judgeAccepting(this.#witness.accepting());
    });
  }

  /** Invariant 4: a drill promotes what it made, and only a recovery the replica that others rely on. */
  #followPromotions(): void {
    const { drillPrefix } = this.#site.configuration.database;
    this.#at('rds', 'PromoteReadReplica', ({ DBInstanceIdentifier }, { principal }) => {
      if (principal.kind !== 'role') return;
      const id = String(DBInstanceIdentifier);
      this.#story.tell(`${id} is promoted by ${principal.sessionName}`);
      const isAtWork = [...this.recoveriesOf('region-failover'), ...this.recoveriesOf('region-failback')].some(
        ({ states }) => states.some(({ name }) => name === 'PromoteReplica'),
      );
      if (!id.startsWith(drillPrefix) && !isAtWork)
        this.#witness.violate(4, `${id} was promoted, and no recovery was at it`);
    });
  }

  /** Invariant 8: without a waiver nothing is failed over but a primary of which two signals were silent. */
  #followJudgements(): void {
    const sfn = this.#site.cloud.service('sfn', this.#site.configuration.dr.region) as SfnService;
    sfn.onHistory((arn, event) => {
      if (event.stateEnteredEventDetails?.name !== 'FencePrimary') return;
      const { input } = this.#witness.executions.get(arn) ?? {};
      if (input === undefined || input.style === 'graceful' || input.waiver !== undefined) return;
      if (machineOf(arn, this.#site) !== 'region-failover') return;
      const silent = this.#site.conditions.silentAt(this.#site.world.clock.now());
      if (silent.size < 2)
        this.#witness.violate(8, `a failover began, and of the primary ${[...silent].join() || 'nothing'} was silent`);
    });
  }

  /** Traffic is moved by the data plane alone, and no role is made in a disaster. */
  #followControlPlanes(): void {
    for (const [service, operation] of [
      ['route-53', 'ChangeResourceRecordSets'],
      ['iam', 'CreateRole'],
      ['iam', 'PutRolePolicy'],
      ['iam', 'AttachRolePolicy'],
    ] as const)
      this.#at(service, operation, (_input, { principal }) => {
        if (principal.kind === 'role')
          this.#witness.violate(4, `${principal.sessionName} called ${service}:${operation}`);
      });
  }

  /** Invariant 2: clients are led elsewhere only after the application there was validated; and stay there until the way home was. */
  async #followTraffic(): Promise<void> {
    const { clock } = this.#site.world;
    const { traffic, primary, dr } = this.#site.configuration;
    for (; !this.#stopped; await clock.sleep(lookMs)) {
      const target = leadOf(this.#site, traffic.recordName)?.target;
      const region = target === traffic.drRecordName ? dr.region : primary.region;
      const before = this.led.at(-1);
      if (before?.region === region) continue;
      this.led.push({ at: clock.now(), region });
      if (before === undefined) continue;
      this.#story.tell(`DNS leads clients to ${region}`);
      const validated = this.recoveriesOf(region === dr.region ? 'region-failover' : 'region-failback').some(
        ({ states }) => states.some(({ name, at }) => name === 'ValidateApplication ended' && at > before.at),
      );
      if (!validated)
        this.#witness.violate(2, `traffic moved to ${region}, and nothing there was validated since it left`);
    }
  }
}
