/** PlanGate and PlanDeep: reads the restored copy's catalog and cuts the work into pieces. */
import type { Candidate, RestorePlan } from '../database/contracts.ts';
import type { Secrets, Session, Sessions } from '../database/ports.ts';
import { addressOf, withSession } from '../database/sql.ts';
import type { Incident } from '../incident/contracts.ts';
import { formatSeconds } from '../incident/moments.ts';
import type { Clock } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { Piece, Tier } from './contracts.ts';
import { ValidationUnknown } from './errors.ts';
import { type Catalog, estimateSeconds, planPieces } from './plan-pieces.ts';

/** Step Functions carries 262,144 bytes of state; pieces share it with the plan and with their results. */
const maximumPlanBytes = 120_000;

export interface PlanValidationContext {
  readonly clock: Clock;
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
}

interface PlanValidationInput {
  readonly incident: Incident;
  readonly plan: RestorePlan;
  readonly candidate: Candidate;
  readonly tier: Tier;
}

export async function planValidation(
  { candidate, tier }: PlanValidationInput,
  { clock, settings, secrets, sessions }: PlanValidationContext,
): Promise<StepResult<{ pieces: Piece[]; until: number }>> {
  const sentinel = await secrets.credentials(settings.database.sentinelRole.secretName);
  const catalog = await withSession(sessions, addressOf(candidate), sentinel, readCatalog);
  const pieces = planPieces(catalog, settings.validation, tier);
  const bytes = JSON.stringify(pieces).length;
  if (bytes > maximumPlanBytes)
    throw ValidationUnknown(
      `The ${tier} needs ${pieces.length} pieces (${bytes} bytes), more than a state machine carries.`,
    );
  const estimatedSeconds = estimateSeconds(catalog, settings.validation, tier) / settings.validation.concurrency;
  const { gateSeconds, concurrency } = settings.validation;
  if (tier === 'gate' && estimatedSeconds > gateSeconds)
    throw ValidationUnknown(
      `The gate needs about ${formatSeconds(estimatedSeconds)} with ${concurrency} pieces side by side; validation.gateSeconds allows ${formatSeconds(gateSeconds)}.`,
    );
  return {
    // Epoch milliseconds: what has not ended by then is unknown, whatever was planned.
    output: { pieces, until: clock.now().getTime() + gateSeconds * 1000 },
    summary: `${tier}: ${pieces.length} pieces over ${catalog.tables.length} tables, about ${formatSeconds(estimatedSeconds)}`,
    facts: { tables: catalog.tables.length, pieces: pieces.length, estimatedSeconds },
  };
}

const relations = `
  relation as (
    select c.oid, format('%I.%I', nspname, relname) as name, relkind from pg_class c join pg_namespace n on n.oid = relnamespace
    where relpersistence = 'p' and nspname !~ '^pg_' and nspname <> 'information_schema')`;

/** pg_table_size holds the TOAST, which a scan of every column reads too; the counting index must cover every row. */
const tablesSql = `with ${relations}
  select name, pg_table_size(oid) as bytes, pg_relation_size(oid) / current_setting('block_size')::bigint as blocks,
    (select min(pg_relation_size(indexrelid)) from pg_index i join pg_class x on x.oid = indexrelid
      join pg_am a on a.oid = x.relam
      where indrelid = relation.oid and amname = 'btree' and indisvalid and indpred is null) as count_index_bytes
  from relation where relkind in ('r', 'm') order by name`;

const indexesSql = `with ${relations}
  select relation.name, pg_relation_size(relation.oid) as bytes, pg_table_size(indrelid) as table_bytes
  from relation join pg_index on indexrelid = relation.oid join pg_class c on c.oid = relation.oid
  join pg_am a on a.oid = relam where amname = 'btree' and indisvalid and indisready and relation.relkind = 'i' order by 1`;

/** A constraint that was never validated promises nothing; one of a partition is checked with its parent. */
const foreignKeysSql = `with ${relations}
  select name as table, conname as constraint, pg_table_size(conrelid) + pg_table_size(confrelid) as bytes
  from relation join pg_constraint on conrelid = relation.oid where contype = 'f' and convalidated and conparentid = 0
  order by 1, 2`;

const sequencesSql = `with ${relations}
  select name as table, attname as column from relation join pg_attribute on attrelid = relation.oid
  where relkind in ('r', 'p') and attnum > 0 and not attisdropped and pg_get_serial_sequence(name, attname) is not null order by 1, 2`;

/** What there is to check. */
export async function readCatalog(session: Session): Promise<Catalog> {
  const tables = await session.query(tablesSql);
  const indexes = await session.query(indexesSql);
  const foreignKeys = await session.query(foreignKeysSql);
  const sequences = await session.query(sequencesSql);
  return {
    tables: tables.map((row) => ({
      name: row.name ?? '',
      bytes: Number(row.bytes),
      blocks: Number(row.blocks),
      countIndexBytes: row.count_index_bytes == null ? undefined : Number(row.count_index_bytes),
    })),
    indexes: indexes.map((row) => ({
      name: row.name ?? '',
      bytes: Number(row.bytes),
      tableBytes: Number(row.table_bytes),
    })),
    foreignKeys: foreignKeys.map((row) => ({
      table: row.table ?? '',
      constraint: row.constraint ?? '',
      bytes: Number(row.bytes),
    })),
    sequences: sequences.map((row) => ({ table: row.table ?? '', column: row.column ?? '' })),
  };
}
