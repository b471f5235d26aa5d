/** A disaster that no alarm saw: what the alarms, triage and the sentinel said meanwhile, and where to look. */
import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { namesOf } from '../config/names.ts';
import { databaseAlarmPrefix } from '../core/incident/identifiers.ts';
import type { Installation } from './installation.ts';
import { listDecisions, listLooks, type TriageRecord } from './records.ts';
import { clock, type Screen } from './screen.ts';

export interface Missed {
  readonly outcome: string;
  readonly failure: { readonly name: 'NotDetected'; readonly message: string; readonly next: string };
  readonly alarms: readonly { readonly name: string; readonly state: string; readonly reason: string }[];
  /** Of triage, since the disaster, newest first. */
  readonly decisions: readonly TriageRecord[];
  /** Of the sentinel, since the disaster, newest first. */
  readonly looks: readonly { readonly at: string; readonly verdict: string; readonly findings: readonly string[] }[];
}

/** `struckAt`: epoch milliseconds. */
export async function readMissed(
  { configuration, clients }: Pick<Installation, 'configuration' | 'clients'>,
  struckAt: number,
  waitedSeconds: number,
): Promise<Missed> {
  const { environment } = configuration;
  const { incidentTable } = namesOf(configuration);
  const since = new Date(struckAt).toISOString();
  const [{ MetricAlarms = [] }, decisions, looks] = await Promise.all([
    clients.cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: databaseAlarmPrefix(environment) })),
    listDecisions(clients.dynamodb, incidentTable, 20),
    listLooks(clients.dynamodb, incidentTable, since),
  ]);
  return {
    outcome: 'The disaster was not detected',
    failure: {
      name: 'NotDetected',
      message: `No alarm started a recovery within ${waitedSeconds} s.`,
      next: 'An alarm that rings: see why triage started nothing. None that rings: see what the sentinel’s looks found, and whether any look ended at all.',
    },
    alarms: MetricAlarms.map(({ AlarmName = '', StateValue = '', StateReason = '' }) => ({
      name: AlarmName,
      state: StateValue,
      reason: StateReason,
    })),
    decisions: decisions.filter(({ at }) => at >= since),
    looks: looks.map(({ at, verdict, findings }) => ({
      at,
      verdict,
      findings: findings.map(({ check, subject, detail }) => `${check} ${subject}: ${detail}`),
    })),
  };
}

const looksShown = 3;

export function showMissed({ failure, outcome, alarms, decisions, looks }: Missed, screen: Screen): void {
  const rows = (label: string, texts: readonly string[]) =>
    (texts.length > 0 ? texts : ['none since the disaster']).map((text, index): [string, string] => [
      index === 0 ? label : '',
      text,
    ]);
  screen.heading(screen.bad(outcome));
  screen.text(failure.message);
  screen.line();
  screen.pairs([
    ...rows(
      'alarms',
      alarms.map(({ name, state, reason }) => `${name} ${state}${reason ? `: ${reason}` : ''}`),
    ),
    ...rows(
      'triage',
      decisions.map(({ at, alarm, verdict, reasons }) => `${clock(at)} ${alarm}: ${verdict}, ${reasons.join('; ')}`),
    ),
    ...rows(
      'sentinel',
      looks
        .slice(0, looksShown)
        .map(
          ({ at, verdict, findings }) =>
            `${clock(at)} ${verdict}${findings.length > 0 ? `: ${findings.join('; ')}` : ''}`,
        ),
    ),
  ]);
  screen.line();
  screen.text(`Next: ${failure.next}`);
}
