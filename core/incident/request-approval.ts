/** Asks a named person before a recovery changes anything: what is lost now, what waiting costs, how to answer. */
import { dr } from '../commands.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { type Approval, type Incident, type RestoreTo, recordVersion } from './contracts.ts';
import { asOption, describeRestoreTo, formatSeconds } from './moments.ts';
import type { Announcement, Announcer, Approvals, Clock } from './ports.ts';

export interface RequestApprovalContext {
  readonly settings: Pick<Settings, 'approval' | 'dr' | 'environment'>;
  readonly clock: Clock;
  readonly approvals: Pick<Approvals, 'ask'>;
  readonly announcer: Announcer;
}

/** The part of the restore plan that a person decides about. */
export interface PlanToApprove {
  readonly source: { readonly identifier: string };
  readonly candidate: string;
  /** Absent: a person chooses. */
  readonly restorePoint?: string | undefined;
  readonly window?: Approval['plan']['window'];
  readonly others?:
    | readonly { readonly restoreTo: RestoreTo; readonly at: string; readonly what: string }[]
    | undefined;
  readonly estimatedLossSeconds: number;
  /** Only these tables are repaired, in production as it is. */
  readonly scope?: Incident['scope'];
  /** Production leaves a Region. */
  readonly failover?:
    | {
        readonly style: 'graceful' | 'ungraceful';
        readonly from: string;
        readonly to: string;
        readonly primary: string;
        readonly reasons: readonly string[];
        readonly waived: readonly string[];
        readonly notes: readonly string[];
      }
    | undefined;
  /** What was found, and between which moments it began; absent where the database is lost rather than damaged. */
  readonly damage?:
    | { readonly found: readonly string[]; readonly after?: string | undefined; readonly by?: string | undefined }
    | undefined;
}

interface Question {
  readonly incident: Incident;
  readonly plan: PlanToApprove;
  /** A bearer secret: it goes to the store and nowhere else. */
  readonly taskToken: string;
}

/** Answers nothing: the state waits until the token is given back with a person's decision. */
export async function requestApproval(
  { incident, plan, taskToken }: Question,
  { settings, clock, approvals, announcer }: RequestApprovalContext,
): Promise<StepResult<Record<string, never>>> {
  const now = clock.now();
  const { trigger } = incident;
  const approval: Approval = {
    version: recordVersion,
    incidentId: incident.id,
    executionArn: incident.executionArn,
    region: incident.region,
    askedAt: now.toISOString(),
    expiresAt: new Date(now.getTime() + settings.approval.timeoutSeconds * 1000).toISOString(),
    ...(trigger.kind === 'person' && trigger.name !== undefined ? { startedBy: trigger.name } : {}),
    plan: {
      source: plan.source.identifier,
      candidate: plan.candidate,
      damage: [...(plan.damage?.found ?? [])],
      ...(plan.restorePoint === undefined ? {} : { restorePoint: plan.restorePoint }),
      ...(plan.window === undefined ? {} : { window: plan.window }),
      estimatedLossSeconds: plan.estimatedLossSeconds,
      ...(plan.scope === undefined ? {} : { tables: plan.scope.tables }),
      ...(plan.failover === undefined ? {} : { failover: partOf(plan.failover) }),
    },
  };
  // The same token again: the question is on record, and people were asked.
  if (await approvals.ask(approval, taskToken))
    await announcer.announce(
      incident,
      plan.failover === undefined
        ? question(incident, plan, approval, settings)
        : regionQuestion(incident, { ...plan, failover: plan.failover }, approval, settings),
    );
  return {
    output: {},
    summary: `approval is asked for; without an answer by ${approval.expiresAt} the recovery is declined`,
    facts: { expiresAt: approval.expiresAt, ...approval.plan },
    waits: true,
  };
}

const partOf = ({ style, from, to }: NonNullable<PlanToApprove['failover']>) => ({ style, from, to });

function whatIsLost(restorePoint: string | undefined, estimatedLossSeconds: number): string {
  if (restorePoint === undefined) return 'Everything written after the restore point that you choose is lost';
  if (estimatedLossSeconds === 0)
    return 'Approve now, and nothing is lost: the source is fenced first, and the copy is restored up to the fence';
  return `Approve now, and about ${formatSeconds(estimatedLossSeconds)} of writes are lost: everything after the restore point`;
}

/** What approving does to production, and what waiting does. */
function consequences({ source, scope, restorePoint, estimatedLossSeconds, damage }: PlanToApprove): string[] {
  if (scope !== undefined)
    return [
      `Only these tables are repaired, in ${source.identifier} as it is: ${scope.tables.join(', ')}`,
      `Their rows become what they were at ${restorePoint ?? 'the restore point that you choose'}: what was changed or deleted in them since is undone, rows added since are kept`,
      'Everything else goes on, and nothing of it is lost. The tables and those that refer to them are locked while the rows are put back; if a check does not pass, nothing is changed',
    ];
  return [
    whatIsLost(restorePoint, estimatedLossSeconds),
    damage
      ? 'Waiting costs about 1 min of writes more for each minute in which the application still writes: they come after the restore point'
      : 'Waiting loses no further writes where the database takes none; the application stays down meanwhile',
    `On approval ${source.identifier} is fenced: no write is accepted anywhere until the cut-over. Until then nothing is changed`,
  ];
}

type FailoverToApprove = PlanToApprove & { readonly failover: NonNullable<PlanToApprove['failover']> };

/** What is lost now, what waiting costs; what was seen of the primary, so that a person can judge it anew. */
function regionQuestion(
  incident: Incident,
  { source, candidate, failover, estimatedLossSeconds }: FailoverToApprove,
  { expiresAt }: Approval,
  { environment, dr: { region } }: RequestApprovalContext['settings'],
): Announcement {
  const { style, from, to, primary, reasons, waived, notes } = failover;
  const loss = formatSeconds(estimatedLossSeconds);
  return {
    kind: 'approval-wanted',
    headline: `Approve the ${style} failover from ${from} to ${to}?`,
    lines: [
      `Reason: ${incident.reason}`,
      `The primary is ${primary}`,
      ...reasons.map((each) => `Seen: ${each}`),
      ...waived.map((each) => `Waived: ${each}`),
      ...notes.map((each) => `Not ready, and no reason to wait: ${each}`),
      style === 'graceful'
        ? `Approve now, and nothing is lost: ${source.identifier} is fenced, ${candidate} catches up, and takes over`
        : `Approve now, and about ${loss} of writes are lost: what ${candidate} has not received. An estimate from heartbeats`,
      style === 'graceful'
        ? 'Waiting costs nothing; on approval no write is accepted anywhere for some minutes'
        : 'Waiting loses no further writes while the primary takes none; customers stay without service meanwhile. If the primary returns, the failover ends by itself',
      `Without an answer by ${expiresAt} the failover is declined`,
    ],
    next: [
      `${dr(`approve ${incident.id}`, environment)} --reason "…"`,
      `${dr(`decline ${incident.id}`, environment)} --reason "…"`,
      `or POST {"incident": "${incident.id}", "decision": "approve" or "decline", "reason": "…"}, signed with IAM, to the approval URL (output of the stack in ${region}).`,
    ].join('; '),
  };
}

function question(
  incident: Incident,
  plan: PlanToApprove,
  { expiresAt }: Approval,
  { environment, dr: { region } }: RequestApprovalContext['settings'],
): Announcement {
  const { source, candidate, restorePoint, others = [], window, damage, scope } = plan;
  const body = `{"incident": "${incident.id}", "decision": "approve" or "decline", "reason": "…"${restorePoint ? '' : ', "restoreTo": …'}}`;
  return {
    kind: 'approval-wanted',
    headline: `Approve the ${scope === undefined ? 'recovery' : 'repair of tables'} of ${source.identifier}?`,
    lines: [
      `Reason: ${incident.reason}`,
      ...(damage && damage.found.length > 0
        ? damage.found.map((each) => `Damaged: ${each}`)
        : scope === undefined
          ? [`Damaged: no look found which tables; ${source.identifier} is taken as lost`]
          : ['Damaged: no look found it; who started the recovery named the tables']),
      ...(damage?.after || damage?.by
        ? [`The damage began after ${damage.after ?? '(no sound look is known)'} and by ${damage.by ?? 'now'}`]
        : []),
      restorePoint
        ? `Restore point: ${restorePoint} (asked for: ${describeRestoreTo(incident.restoreTo)}), to ${scope === undefined ? 'the new instance' : 'the copy'} ${candidate}`
        : 'Restore point: YOU CHOOSE, for no sound look bounds the damage',
      ...others.map(({ restoreTo, at, what }) => `Instead: --restore-to ${asOption(restoreTo)} (${what}, ${at})`),
      ...(window ? [`Restorable: from ${window.earliest} until before ${window.latest}`] : []),
      ...consequences(plan),
      `Without an answer by ${expiresAt} the recovery is declined`,
    ],
    next: [
      `${dr(`approve ${incident.id}`, environment)} --reason "…"${restorePoint ? '' : ' --restore-to …'}`,
      `${dr(`decline ${incident.id}`, environment)} --reason "…"`,
      `or POST ${body}, signed with IAM, to the approval URL (output of the stack in ${region}).`,
    ].join('; '),
  };
}
