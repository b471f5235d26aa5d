import { assessDatabase } from '../../core/database/assess-database.ts';
import { ApprovalDecision } from '../../core/incident/contracts.ts';
import { baselines, looks, profiles } from '../adapters/aws/baselines.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { dumpsLater } from '../adapters/aws/dumps-later.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databasesLater } from '../adapters/aws/rds-later.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeStep, StepInput } from '../handler.ts';

const AssessInput = StepInput.extend({ decision: ApprovalDecision.optional() });

export const handler = makeStep(AssessInput, incidentStore, (input, rt) =>
  assessDatabase(input, {
    ...rt,
    baselines: baselines(rt),
    control: controlStore(rt),
    databases: databasesLater(rt),
    dumps: dumpsLater(rt),
    looks: looks(rt),
    profiles: profiles(rt),
    ...logins(rt),
  }),
);
