import { lookAtRecords } from '../adapters/readiness/records.ts';
import { makeLook } from '../look.ts';

export const handler = makeLook('records', lookAtRecords);
