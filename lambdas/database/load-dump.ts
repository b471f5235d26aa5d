/** Runs as a job: a dump takes as long as its rows. */
import { loadDump } from '../../core/database/dump/load-dump.ts';
import { dumps } from '../adapters/aws/dumps.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { secrets } from '../adapters/aws/secrets.ts';
import { copySessions } from '../adapters/postgres/copy-sessions.ts';
import { makeStep } from '../handler.ts';
import { CandidateInput } from '../inputs.ts';

export const handler = makeStep(CandidateInput, incidentStore, (input, rt) =>
  loadDump(input, { ...rt, dumps: dumps(rt), secrets: secrets(rt), copySessions: copySessions() }),
);
