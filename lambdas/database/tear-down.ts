import { tearDown } from '../../core/database/tear-down.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databases } from '../adapters/aws/rds.ts';
import { parameters } from '../adapters/aws/ssm.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput, incidentStore, (input, rt) =>
  tearDown(input, { ...rt, control: controlStore(rt), databases: databases(rt), parameters: parameters(rt) }),
);
