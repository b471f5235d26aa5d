/** A recovery that was refused before its incident opened: recorded, told where it matters, and nothing left behind. */
import { readFailure } from '../errors.ts';
import type { Execution, Failure, Incident } from './contracts.ts';
import { DrillElsewhere } from './errors.ts';
import type { Announcer, Clock, ControlStore, IncidentStore } from './ports.ts';

export interface ReportRefusalContext {
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'releaseLease'>;
  readonly incidents: Pick<IncidentStore, 'recordDecision'>;
  readonly announcer: Announcer;
}

export interface Refusal {
  readonly request: unknown;
  readonly execution: Execution;
  /** Set where the request was accepted and only the lease was refused. */
  readonly incident?: Incident | undefined;
  readonly failure: Failure;
}

export async function reportRefusal(
  { request, execution, incident, failure }: Refusal,
  { clock, control, incidents, announcer }: ReportRefusalContext,
): Promise<Record<string, never>> {
  const { name, message, next } = readFailure(failure);
  // Every month, in one of the two Regions: nothing that anybody must know.
  const isSkip = name === DrillElsewhere.definition.name;
  try {
    await incidents.recordDecision({
      at: clock.now().toISOString(),
      alarm: triggerName(request),
      verdict: `${isSkip ? 'skipped' : 'refused'}: ${name}`,
      reasons: [message],
    });
    if (isSkip) return {};
    await announcer.announce(incident, {
      kind: 'refused',
      headline: `A start of the ${scenarioOf(execution.arn)} recovery was refused: ${name}`,
      lines: [message, `Execution: ${execution.arn}`],
      next,
    });
  } finally {
    await control.releaseLease(execution.arn);
  }
  return {};
}

/** `…:execution:stocker-dr-production-database-recovery:…`: the machine's name says it. */
const scenarioOf = (arn: string) => /-(\w+)-recovery:/.exec(arn)?.[1] ?? 'database';

/** The request may be anything, for it may have been refused for that. */
function triggerName(request: unknown): string {
  const trigger = typeof request === 'object' && request !== null && 'trigger' in request ? request.trigger : undefined;
  const isNamed = typeof trigger === 'object' && trigger !== null && 'name' in trigger;
  return isNamed ? String(trigger.name).slice(0, 200) : 'start by hand';
}
