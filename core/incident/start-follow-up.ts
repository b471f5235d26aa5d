/** The recovered database is production and must not be searched in depth: a drill restores a clone of it, and searches that. */
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { Incident } from './contracts.ts';
import { stateMachineName } from './identifiers.ts';
import type { Executions } from './ports.ts';

export interface StartFollowUpContext {
  readonly settings: Pick<Settings, 'environment'>;
  readonly executions: Pick<Executions, 'start'>;
}

/** Whatever was lost: the database is what is searched. Starts one drill however often it is called: its execution is named after the incident. */
export async function startFollowUp(
  { incident }: { readonly incident: Incident },
  { settings, executions }: StartFollowUpContext,
): Promise<StepResult<{ executionArn: string }>> {
  const { executionArn } = await executions.start(
    stateMachineName(settings.environment, 'database'),
    `follow-up-${incident.id}`,
    {
      mode: 'drill',
      reason: `deep validation, on a clone, of the database that ${incident.id} recovered`,
      requestId: `follow-up-${incident.id}`,
      trigger: { kind: 'event', name: incident.id },
    },
  );
  return {
    output: { executionArn },
    summary: `the deep validation of the recovered database runs as a drill on a clone: ${executionArn}`,
    facts: { executionArn },
  };
}
