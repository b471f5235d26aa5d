import * as z from 'zod';
import { reportProgress } from '../../core/communications/report-progress.ts';
import { announcer } from '../adapters/aws/announcer.ts';
import { approvals } from '../adapters/aws/approvals.ts';
import { executions } from '../adapters/aws/executions.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { makeHandler } from '../handler.ts';

/** What the schedule sends says nothing. */
export const handler = makeHandler(z.unknown(), (_, rt) => {
  const incidents = incidentStore(rt);
  return reportProgress({
    ...rt,
    incidents,
    approvals: approvals(rt),
    executions: executions(rt),
    announcer: announcer(rt, incidents),
  });
});
