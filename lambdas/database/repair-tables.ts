/** Runs as a job: rows take their time, and so does waiting for locks. */
import { repairTables } from '../../core/database/repair/repair-tables.ts';
import { baselines } from '../adapters/aws/baselines.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { secrets } from '../adapters/aws/secrets.ts';
import { copySessions } from '../adapters/postgres/copy-sessions.ts';
import { makeStep } from '../handler.ts';
import { CandidateInput } from '../inputs.ts';

const limits = { statementSeconds: 3 * 3600, locking: { attempts: 60, pauseSeconds: 3 } };

export const handler = makeStep(CandidateInput, incidentStore, (input, rt) =>
  repairTables(input, {
    ...rt,
    ...limits,
    baselines: baselines(rt),
    control: controlStore(rt),
    secrets: secrets(rt),
    copySessions: copySessions(),
  }),
);
