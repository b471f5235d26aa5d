/** A change of something protected, or the alarm of drift: the same triage as every alarm has, with what a change is about. */

import * as z from 'zod';
import type { TriageDecision } from '../incident/triage.ts';
import { DriftSignal, type TriageContext, triageConfiguration } from '../incident/triage-alarm.ts';
import { ChangeEvent, signalOf } from './change-event.ts';
import type { ProtectedKeys } from './ports.ts';

/** What EventBridge delivers. */
export const ConfigurationSignal = z.union([ChangeEvent.transform((change) => ({ change })), DriftSignal]);
type ConfigurationSignal = z.infer<typeof ConfigurationSignal>;

export interface TriageChangeContext extends TriageContext {
  readonly keys: Pick<ProtectedKeys, 'list'>;
}

export async function triageChange(event: ConfigurationSignal, context: TriageChangeContext): Promise<TriageDecision> {
  if (!('change' in event)) return triageConfiguration(event, context);
  const isOfKey = event.change.detail.eventSource === 'kms.amazonaws.com';
  const active = (await context.control.readActiveDatabase())?.identifier;
  const keys = isOfKey ? await protectedKeys(active, context) : [];
  return triageConfiguration(signalOf(event.change, { settings: context.settings, keys, active }), context);
}

/** Undefined where KMS or RDS does not answer: the recovery looks again, and asks before it does anything. */
async function protectedKeys(
  active: string | undefined,
  { keys, settings }: TriageChangeContext,
): Promise<string[] | undefined> {
  const all = await keys.list(active ?? settings.database.identifier).catch(() => undefined);
  return all?.map(({ arn }) => arn);
}
