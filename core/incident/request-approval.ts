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
        readonly replica?: string | undefined;
        readonly tenure?: { readonly refusesFrom?: string | undefined } | undefined;
      }
    | undefined;
  /** What was found, and between which moments it began; absent where the database is lost rather than damaged. */
  readonly damage?:
    | { readonly found: readonly string[]; readonly after?: string | undefined; readonly by?: string | undefined }
    | undefined;
}

interface Asking {
  readonly incident: Incident;
  /** A bearer secret: it goes to the store and nowhere else. */
  readonly taskToken: string;
}

/** Puts a question on record, and to people once: with the same token again it was asked before. */
export async function ask(
  { incident, taskToken }: Asking,
  plan: Approval['plan'],
  announcementOf: (approval: Approval) => Announcement,
  { settings, clock, approvals, announcer }: RequestApprovalContext,
): Promise<Approval> {
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
    plan,
  };
  if (await approvals.ask(approval, taskToken)) await announcer.announce(incident, announcementOf(approval));
  return approval;
}

/** How people answer; `chooses`: an approval names the restore point. */
export function howToAnswer(
  { id }: Pick<Incident, 'id'>,
  { environment, dr: { region } }: RequestApprovalContext['settings'],
  chooses = false,
): string {
  const body = `{"incident": "${id}", "decision": "approve" or "decline", "reason": "…"${chooses ? ', "restoreTo": …' : ''}}`;
  return [
    `${dr(`approve ${id}`, environment)} --reason "…"${chooses ? ' --restore-to …' : ''}`,
    `${dr(`decline ${id}`, environment)} --reason "…"`,
    `or POST ${body}, signed with IAM, to the approval URL (output of the stack in ${region}).`,
  ].join('; ');
}

/** Answers nothing: the state waits until the token is given back with a person's decision. */
export async function requestApproval(
  { incident, plan, taskToken }: Asking & { readonly plan: PlanToApprove },
  context: RequestApprovalContext,
): Promise<StepResult<Record<string, never>>> {
  const { failover } = plan;
  const { settings } = context;
  const approval = await ask(
    { incident, taskToken },
    {
      source: plan.source.identifier,
      candidate: plan.candidate,
      damage: [...(plan.damage?.found ?? [])],
      ...(plan.restorePoint === undefined ? {} : { restorePoint: plan.restorePoint }),
      ...(plan.window === undefined ? {} : { window: plan.window }),
      estimatedLossSeconds: plan.estimatedLossSeconds,
      ...(plan.scope === undefined ? {} : { tables: plan.scope.tables }),
      ...(failover === undefined ? {} : { failover: partOf(failover) }),
    },
    (asked) =>
      failover === undefined
        ? question(incident, plan, asked, settings)
        : regionQuestion(incident, { ...plan, failover }, asked, settings),
    context,
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
  { source, candidate, failover, estimatedLossSeconds, restorePoint }: FailoverToApprove,
  { expiresAt }: Approval,
  settings: RequestApprovalContext['settings'],
): Announcement {
  const { style, from, to, primary, reasons, waived, notes, replica, tenure } = failover;
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
        : replica === undefined
          ? `Approve now, and about ${loss} of writes are lost: ${to} has no replica, and ${candidate} is restored from the replicated backups as of ${restorePoint}`
          : `Approve now, and about ${loss} of writes are lost: what ${candidate} has not received. An estimate from heartbeats`,
      ...(tenure === undefined
        ? []
        : [
            tenure.refusesFrom === undefined
              ? `Fencing is strict, and it was waived to wait until ${from} has fenced itself: two databases may take writes`
              : `Fencing is strict: nothing is promoted before ${tenure.refusesFrom}, when ${from} has fenced itself; later, if it still reaches ${to}`,
          ]),
      style === 'graceful'
        ? 'Waiting costs nothing; on approval no write is accepted anywhere for some minutes'
        : 'Waiting loses no further writes while the primary takes none; customers stay without service meanwhile. If the primary returns, the failover ends by itself',
      `Without an answer by ${expiresAt} the failover is declined`,
    ],
    next: howToAnswer(incident, settings),
  };
}

function question(
  incident: Incident,
  plan: PlanToApprove,
  { expiresAt }: Approval,
  settings: RequestApprovalContext['settings'],
): Announcement {
  const { source, candidate, restorePoint, others = [], window, damage, scope } = plan;
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
    next: howToAnswer(incident, settings, !restorePoint),
  };
}
