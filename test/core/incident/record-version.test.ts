import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { BackupRecord, Proof } from '../../../core/backup/contracts.ts';
import { DebtRecord, ZoneRecording } from '../../../core/configuration/contracts.ts';
import { Baseline } from '../../../core/database/contracts.ts';
import {
  ActiveDatabase,
  IncidentRecord,
  Lease,
  MessageRecord,
  recordVersion,
  StepRecord,
  TrendPoint,
} from '../../../core/incident/contracts.ts';

const shapeOf = (schema: z.ZodType) =>
  createHash('sha256')
    .update(JSON.stringify(z.toJSONSchema(schema)))
    .digest('hex')
    .slice(0, 12);

/**
 * A changed shape fails here. Raise `recordVersion`, decide how records of the old version are read (they outlive the
 * deployment: trend and baselines for weeks, incidents for ever), and only then write the new hash down.
 */
test('a persisted record keeps its shape, or records get a new version', () => {
  const shapes = {
    ActiveDatabase,
    BackupRecord,
    Baseline,
    DebtRecord,
    IncidentRecord,
    Lease,
    MessageRecord,
    Proof,
    StepRecord,
    TrendPoint,
    ZoneRecording,
  };
  const hashes = Object.fromEntries(Object.entries(shapes).map(([name, schema]) => [name, shapeOf(schema)]));
  expect({ recordVersion, ...hashes }).toEqual({
    recordVersion: 1,
    ActiveDatabase: 'f10e5d631f4a',
    BackupRecord: 'faa78a143ca9',
    Baseline: '8d213def37d6',
    DebtRecord: '5de8883cfdef',
    IncidentRecord: '7a5d1e59c9ba',
    Lease: '88f438afce43',
    MessageRecord: '8d41d531ec58',
    Proof: '1fefbd558b17',
    StepRecord: '5896118649b9',
    TrendPoint: '6ab42afdf1ad',
    ZoneRecording: '422752c2cb8b',
  });
});

test('(control) a new field changes a shape', () => {
  expect(shapeOf(Lease.extend({ note: z.string().optional() }))).not.toBe(shapeOf(Lease));
});
