import { awaitTornDown } from '../../core/database/tear-down.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databases } from '../adapters/aws/rds.ts';
import { makeWait, StepInput } from '../handler.ts';

export const handler = makeWait(StepInput, incidentStore, (input, rt) =>
  awaitTornDown(input, { ...rt, databases: databases(rt) }),
);
