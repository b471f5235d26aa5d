/** RunGate and RunDeep: runs one piece, ends within its time, and hands back what it did not reach. */
import type { Candidate, RestorePlan } from '../database/contracts.ts';
import type { Baselines, Secrets, Session, Sessions } from '../database/ports.ts';
import { lineageOf, restoreOf } from '../database/restore-database.ts';
import { addressOf, withSession } from '../database/sql.ts';
import type { Incident } from '../incident/contracts.ts';
import type { Clock, IncidentStore } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { CheckName, Item, Piece, PieceResult, Verdict } from './contracts.ts';
import {
  compareHash,
  compareSequence,
  crossCount,
  findOrphans,
  type RangeCheck,
  scanHeap,
  verifyHeap,
  verifyIndex,
} from './damage-checks.ts';
import { type Finding, failed, findingOf, passed, unknown } from './findings.ts';
import { halve } from './plan-pieces.ts';
import { askQuery, compareRows, compareSchemaVersion, connects, measureFreshness } from './state-checks.ts';

export interface RunCheckContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
  readonly baselines: Pick<Baselines, 'atOrBefore' | 'latest'>;
  readonly incidents: Pick<IncidentStore, 'read' | 'update'>;
}

interface RunCheckInput {
  readonly incident: Incident;
  readonly plan: RestorePlan;
  readonly candidate: Candidate;
  readonly work: Piece;
}

/** Needed to call amcheck; everything else is read as the sentinel. */
const needsMaster: ReadonlySet<CheckName> = new Set<CheckName>(['heap-verify', 'index-verify']);
const rangeChecks: Partial<Record<CheckName, RangeCheck>> = { 'heap-scan': scanHeap, 'heap-verify': verifyHeap };

/** Of a piece's time: the rest is for connecting and for answering. */
const workingShare = 0.9;
/** A range is scanned in steps of about this long, so that running out of time loses at most one. */
const stepSeconds = 1;

export async function runCheck(input: RunCheckInput, context: RunCheckContext): Promise<StepResult<PieceResult>> {
  const { candidate, work } = input;
  const { settings, clock, secrets, sessions } = context;
  const { validation, database } = settings;
  const endsAt = clock.now().getTime() + validation.pieceSeconds * 1000 * workingShare;
  const role = needsMaster.has(work.check) ? database.masterSecretName : database.sentinelRole.secretName;
  const credentials = await secrets.credentials(role);
  const options = {
    statementTimeoutMs: validation.pieceSeconds * 1000,
    connectTimeoutMs: Math.min(10_000, validation.pieceSeconds * 1000),
    applicationName: `stocker-dr ${work.check}`,
  };
  const run = (session: Session) => runItems(session, input, context, endsAt);
  const done = await withSession(sessions, addressOf(candidate), credentials, run, options).catch((error: unknown) => {
    // A refused login is the answer of `connects`; a connection that breaks is thrown on as CheckInterrupted.
    if (error instanceof Error && error.name === 'CheckInterrupted') throw error;
    return { findings: [{ subject: 'session', finding: settle(findingOf(error)) }], rest: [] };
  });
  return conclude(work, done);
}

interface Done {
  readonly findings: readonly { readonly subject: string; readonly finding: Finding }[];
  readonly rest: readonly Item[];
}

async function runItems(
  session: Session,
  input: RunCheckInput,
  context: RunCheckContext,
  endsAt: number,
): Promise<Done> {
  const { work } = input;
  const findings: { subject: string; finding: Finding }[] = [];
  const leftMs = () => Math.floor(endsAt - context.clock.now().getTime());
  for (const [at, item] of work.items.entries()) {
    const name = nameOf(item);
    const rest = work.items.slice(at);
    if (leftMs() <= 0) return { findings, rest };
    const outcome = await runItem(session, item, input, context, leftMs);
    if ('verdict' in outcome) findings.push({ subject: name, finding: outcome });
    // It had a whole piece's time and cannot be cut any smaller: more rounds would not help.
    else if (at === 0 && isUncuttable(outcome.rest)) findings.push({ subject: name, finding: needsWholeJob });
    else return { findings, rest: [outcome.rest, ...rest.slice(1)] };
  }
  return { findings, rest: [] };
}

const nameOf = ({ subject, part, blocks }: Item) =>
  [subject, part, blocks && `blocks ${blocks.from}–${blocks.to - 1}`].filter(Boolean).join(' ');

const isUncuttable = ({ blocks }: Item) => blocks === undefined || blocks.to - blocks.from < 2;
const needsWholeJob = unknown('out of time and cannot be cut: needs the whole-index job');

/** The finding, or what is left of the item after its time was over. */
async function runItem(
  session: Session,
  item: Item,
  input: RunCheckInput,
  context: RunCheckContext,
  leftMs: () => number,
): Promise<Finding | { readonly rest: Item }> {
  if (item.tooLongSeconds !== undefined)
    return unknown(`would take about ${item.tooLongSeconds} s in one piece: needs the whole-index job`);
  const range = rangeChecks[input.work.check];
  try {
    if (range && item.blocks)
      return await runRange(session, range, { ...item, blocks: item.blocks }, context.settings, leftMs);
    await limit(session, leftMs());
    return await runWhole(session, item, input, context);
  } catch (error) {
    const finding = findingOf(error);
    return finding === 'timeout' ? { rest: item } : finding;
  }
}

const limit = (session: Session, ms: number) => session.query(`set statement_timeout = ${Math.max(1, ms)}`);

/** Goes through the blocks in short steps; out of time, the blocks from the unfinished step on are left. */
async function runRange(
  session: Session,
  check: RangeCheck,
  item: Item & { blocks: NonNullable<Item['blocks']> },
  { validation }: Settings,
  leftMs: () => number,
): Promise<Finding | { readonly rest: Item }> {
  const { from, to } = item.blocks;
  const step = Math.max(1, Math.floor((validation.scanBytesPerSecond * stepSeconds) / 8192));
  for (let at = from; at < to; at += step) {
    const rest = { ...item, blocks: { from: at, to } };
    const ms = leftMs();
    if (ms <= 0) return { rest };
    await limit(session, ms);
    try {
      const problem = await check(session, item.subject, at, Math.min(to, at + step));
      if (problem !== undefined) return failed(problem);
    } catch (error) {
      const finding = findingOf(error);
      return finding === 'timeout' ? { rest } : finding;
    }
  }
  return passed(`${to - from} blocks`);
}

async function runWhole(
  session: Session,
  item: Item,
  input: RunCheckInput,
  context: RunCheckContext,
): Promise<Finding> {
  const { settings, baselines } = context;
  const { plan, incident, work } = input;
  const { validation, objectives } = settings;
  const lineage = lineageOf(plan);
  const before = () => baselines.atOrBefore(restoreOf(plan).restorePoint, lineage);
  switch (work.check) {
    case 'connects':
      return connects(session);
    case 'schema-version':
      return compareSchemaVersion(session, settings, {
        before: await before(),
        latest: await baselines.latest(lineage),
      });
    case 'heartbeat-freshness': {
      const { rpoSeconds } = objectives;
      const freshness = await measureFreshness(session, { incident, plan, rpoSeconds });
      await recordRpo(incident, freshness.rpoSeconds, context.incidents);
      return freshness.finding;
    }
    case 'row-floors':
      return compareRows(session, item, validation.rowFloors[item.subject] ?? 1, await before());
    case 'sequences':
      return compareSequence(session, item);
    case 'foreign-key':
      return findOrphans(session, item);
    case 'query': {
      const query = validation.queries.find((each) => each.name === item.subject);
      return query === undefined ? unknown('the settings have no such query') : askQuery(session, query);
    }
    case 'index-verify':
      return verifyIndex(session, item, work.tier);
    case 'cross-count':
      return crossCount(session, item);
    case 'content-hash':
      return compareHash(session, item, validation.appendOnly[item.subject], await before());
    case 'heap-scan':
    case 'heap-verify':
      return unknown('no block range was planned');
  }
}

async function recordRpo(incident: Incident, rpoSeconds: number | undefined, incidents: RunCheckContext['incidents']) {
  if (rpoSeconds === undefined) return;
  const record = await incidents.read(incident.id);
  await incidents.update(incident.id, { achieved: { ...record?.achieved, rpoSeconds } });
}

const settle = (finding: Finding | 'timeout'): Finding => (finding === 'timeout' ? unknown('out of time') : finding);

/** The results of all pieces are one state of at most 262,144 bytes; everything that was found is in the timeline. */
const maximumReason = 250;

/** Any damage fails the piece; anything unanswered or left over keeps it from passing. */
function conclude(work: Piece, { findings, rest }: Done): StepResult<PieceResult> {
  const of = (verdict: Verdict) => findings.filter(({ finding }) => finding.verdict === verdict);
  const [bad, open] = [of('failed'), of('unknown')];
  const verdict = bad.length > 0 ? 'failed' : open.length > 0 || rest.length > 0 ? 'unknown' : 'passed';
  const told = bad.length > 0 ? bad : open;
  const said = told.map(({ subject, finding }) => `${subject}: ${finding.reason}`);
  const left = rest.length > 0 ? [`out of time at ${rest.slice(0, 1).map(nameOf)}`] : [];
  const reason = [...said, ...left].join('; ').slice(0, maximumReason) || `${findings.length} checked`;
  // Damage is final, and so is an unanswered check: what is left over matters to neither.
  const remaining = verdict === 'unknown' && open.length === 0 ? halve(work, rest) : [];
  return {
    output: { id: work.id, verdict, reason, remaining },
    summary: `${work.check} ${verdict}: ${reason}`,
    facts: {
      check: work.check,
      tier: work.tier,
      verdict,
      items: findings.slice(0, 200).map(({ subject, finding }) => ({ subject, ...finding })),
      remaining: remaining.length,
    },
  };
}
