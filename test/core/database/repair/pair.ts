/** Production and a copy of it from before the damage: two databases of one server, made anew for every test. */
import { type RepairContext, repairTables } from '../../../../core/database/repair/repair-tables.ts';
import { copySessions } from '../../../../lambdas/adapters/postgres/copy-sessions.ts';
import { secrets, settings, startDatabase, type TestDatabase } from '../../../support/postgres.ts';
import { FakeControl, makeIncident, makeLease } from '../../fakes.ts';
import { FakeBaselines, makePlan } from '../fakes.ts';

export const incident = makeIncident({ id: 'recovery-20261122T201500Z-1a2b3c4d', mode: 'recovery' });

/** What hangs on stocker.product, beyond STOCKER's own tables: every kind that a repair must bring back. */
const dependants = `
  create function stocker.stamp() returns trigger language plpgsql as $$ begin new.touched := new.touched + 1; return new; end $$;
  create type stocker.colour as enum ('red', 'green');
  create role auditor;
  alter default privileges in schema stocker grant select on tables to auditor;
  create table stocker."price list" (
    "Id" bigint generated always as identity (start with 100 increment by 5) primary key,
    number serial not null,
    product_id bigint not null references stocker.product on delete cascade,
    "net price" numeric(12, 4) not null check ("net price" >= 0),
    gross numeric generated always as ("net price" * 1.21) stored,
    colour stocker.colour default 'red', note text collate "C" default 'a ''quoted'' note', extra json,
    touched int not null default 0,
    constraint "one price" unique (product_id, "net price")) with (fillfactor = 70);
  alter table stocker."price list" alter column note set storage external;
  create index "by note" on stocker."price list" (lower(note)) where note is not null;
  create statistics stocker.prices on product_id, colour from stocker."price list";
  create trigger stamp before insert or update on stocker."price list" for each row execute function stocker.stamp();
  alter table stocker."price list" enable always trigger stamp;
  revoke all on stocker."price list" from auditor;
  grant select ("Id", note), update (note) on stocker."price list" to stocker_app;
  grant select on stocker."price list" to auditor with grant option;
  grant usage on sequence stocker."price list_number_seq" to stocker_app;
  comment on table stocker."price list" is 'What it costs; it''s net';
  comment on column stocker."price list".gross is 'with tax';
  insert into stocker."price list" (product_id, "net price", extra) select id, id * 1.5, '{"a": [1,  2]}' from stocker.product where id <= 500;
  create table stocker.discount (price_id bigint primary key references stocker."price list", percent int not null);
  insert into stocker.discount select "Id", 10 from stocker."price list";
  create view stocker.cheap with (security_barrier) as select "Id", gross from stocker."price list" where gross < 100;
  create view stocker.cheapest as select min(gross) as gross from stocker.cheap;
  create materialized view stocker.per_colour as select colour, count(*) as prices from stocker."price list" group by 1;
  create unique index on stocker.per_colour (colour);
  grant select on stocker.cheap, stocker.per_colour to stocker_app;
  comment on view stocker.cheap is 'below a hundred';`;

export interface Pair {
  /** As the master, in production. */
  live(sql: string, parameters?: readonly unknown[]): ReturnType<TestDatabase['query']>;
  /** As the master, in the copy. */
  copy(sql: string, parameters?: readonly unknown[]): ReturnType<TestDatabase['query']>;
  readonly control: FakeControl;
  readonly baselines: FakeBaselines;
  repair(
    tables: readonly string[],
    change?: Partial<RepairContext>,
    restorePoint?: string,
  ): ReturnType<typeof repairTables>;
}

export async function startPairs() {
  const database = await startDatabase();
  await database.query(dependants);
  const open = async (name: string) => {
    const options = { statementTimeoutMs: 20_000, applicationName: 'test' };
    return database.sessions.open(
      { ...database.candidate, database: name },
      await secrets.credentials('stocker/master'),
      options,
    );
  };
  const queryIn = (name: string) => async (sql: string, parameters?: readonly unknown[]) => {
    const session = await open(name);
    return session.query(sql, parameters).finally(() => session.close());
  };
  const inPostgres = queryIn('postgres');
  let number = 0;

  async function pair(): Promise<Pair> {
    number += 1;
    const [live, copy] = [`live_${number}`, `copy_${number}`];
    for (const name of [live, copy]) await inPostgres(`create database ${name} template stocker strategy file_copy`);
    const { address, port } = database.active;
    const control = Object.assign(new FakeControl(), {
      active: database.active,
      lease: makeLease({ incidentId: incident.id }),
    });
    const baselines = new FakeBaselines();
    return {
      live: queryIn(live),
      copy: queryIn(copy),
      control,
      baselines,
      repair: (tables, change = {}, restorePoint = '2026-11-22T20:10:00.000Z') =>
        repairTables(
          {
            incident,
            candidate: { ...database.candidate, database: copy },
            plan: makePlan({
              source: { identifier: 'stocker-pro-staging', resourceId: 'db-PRODUCTION', address, port },
              restorePoint,
              scope: { tables: [...tables] },
            }),
          },
          {
            settings: { ...settings, database: { ...settings.database, name: live } },
            control,
            baselines,
            secrets,
            copySessions: copySessions(() => database.authority),
            statementSeconds: 20,
            locking: { attempts: 2, pauseSeconds: 0 },
            ...change,
          },
        ),
    };
  }
  return { pair, open, close: () => database.close() };
}
