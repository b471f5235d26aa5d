/** FenceFormer, SnapshotFormer and ExportFormer: what the former production holds alone is evidence, kept before anything else is done. */
import type { Failover, RestorePlan } from '../database/contracts.ts';
import { DatabaseNotReady } from '../database/errors.ts';
import { closeTo, fenceLogins, leftOpen, proveRefused, type Target } from '../database/fence.ts';
import type { Secrets, Sessions } from '../database/ports.ts';
import { awaitSnapshot, type SnapshotContext, snapshotSource } from '../database/secure-source.ts';
import { answerOf } from '../database/source.ts';
import { stepTimeouts, withSession } from '../database/sql.ts';
import type { EvidenceStore } from '../evidence/ports.ts';
import type { Incident } from '../incident/contracts.ts';
import type { Clock } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { failoverOf } from './promote-replica.ts';
import { isOverAfter, keptInWords, totalOf, writtenSince } from './written-since.ts';

interface PlanInput {
  readonly incident: Incident;
  readonly plan: RestorePlan;
}

export interface FormerContext {
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
}

type Former = NonNullable<Failover['former']>;
const targetOf = ({ identifier, address, port }: Former, { database }: Settings): Target => ({
  identifier,
  address,
  port,
  database: database.name,
});
const nothing = { output: {}, summary: 'nothing is left of production here' };

/** The guard has done it; proven again, for everything after it rests on it. */
export async function fenceFormer(
  { plan }: PlanInput,
  { settings, secrets, sessions }: FormerContext,
): Promise<StepResult<Record<string, never>>> {
  const { former } = failoverOf(plan);
  if (former === undefined) return nothing;
  const target = targetOf(former, settings);
  const { master, logins } = await fenceLogins(settings, secrets);
  // No snapshot of it exists yet: whatever it holds is kept.
  const closed = await withSession(sessions, target, master, (session) =>
    closeTo({ session, sessions, target, master }, logins, settings, { prepared: 'keep', setPasswords: false }),
  ).catch((cause: unknown) => {
    const answer = answerOf(cause);
    if (answer.kind === 'answers') throw cause;
    throw DatabaseNotReady(`${former.identifier} does not answer: ${answer.why}`, { cause });
  });
  for (const login of logins) await proveRefused(sessions, target, login);
  return {
    output: {},
    summary: `${former.identifier} refuses ${logins.map(({ username }) => username).join(', ')}: ${['proven by a login', `${closed.sessionsEnded} sessions ended`, ...leftOpen(closed)].join('; ')}`,
    facts: { ...closed, former },
  };
}

/** The same as the safety snapshot of a recovery: of the former production instead of the present one. */
const ofFormer = ({ incident, plan }: PlanInput): PlanInput | undefined => {
  const { former } = failoverOf(plan);
  if (former === undefined) return undefined;
  const { identifier, resourceId, address, port } = former;
  return { incident, plan: { ...plan, source: { identifier, resourceId, address, port } } };
};

export async function snapshotFormer(input: PlanInput, context: SnapshotContext): Promise<StepResult<object>> {
  const own = ofFormer(input);
  return own === undefined ? nothing : snapshotSource(own, context);
}

export async function awaitFormerSnapshot(
  input: PlanInput,
  context: Pick<SnapshotContext, 'databases'>,
): Promise<StepResult<object>> {
  const own = ofFormer(input);
  return own === undefined ? nothing : awaitSnapshot(own, context);
}

export interface ExportContext extends FormerContext {
  readonly clock: Clock;
  readonly evidence: EvidenceStore;
}

/**
 * Of the function's 10 minutes: no table is begun after 4, and none takes more than 5. What is not read by then is in the
 * snapshot, and keeps nobody from coming home.
 */
const exporting = { ...stepTimeouts, statementTimeoutMs: 300_000 };
const beginningSeconds = 240;

/** What it committed after the last transaction that its successor had received: people decide what becomes of those rows. */
export async function exportFormer(
  { incident, plan }: PlanInput,
  { settings, clock, secrets, sessions, evidence }: ExportContext,
): Promise<StepResult<Record<string, never>>> {
  const { former } = failoverOf(plan);
  if (former === undefined) return nothing;
  const { identifier, succeededAt } = former;
  const { master } = await fenceLogins(settings, secrets);
  const isOver = isOverAfter(beginningSeconds, clock);
  const written = await withSession(
    sessions,
    targetOf(former, settings),
    master,
    (session) => writtenSince(session, succeededAt, isOver),
    exporting,
  );
  const { counts, lines, unread } = written;
  const key = `region/${incident.id}/rows-of-${identifier}.jsonl`;
  if (lines.length > 0) await evidence.put(key, `${lines.join('\n')}\n`, 'application/x-ndjson');
  const location = lines.length > 0 ? evidence.location(key) : undefined;
  const total = totalOf(counts);
  const words = keptInWords(written, location, `${identifier} and its safety snapshot`);
  return {
    output: {},
    summary:
      total === 0 && unread.length === 0
        ? `${identifier} holds nothing that its successor has not: no row was committed after ${succeededAt}`
        : [`${identifier} committed ${total} rows after ${succeededAt}`, ...words].join('; '),
    facts: {
      rows: counts,
      kept: lines.length,
      ...(unread.length > 0 ? { unread } : {}),
      succeededAt,
      ...(location === undefined ? {} : { evidence: location }),
    },
  };
}
