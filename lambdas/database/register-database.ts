import * as z from 'zod';
import { registerDatabase } from '../../core/database/prepare-database.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { databases } from '../adapters/aws/rds.ts';
import { makeHandler } from '../handler.ts';

export const handler = makeHandler(z.object({ identifier: z.string().optional() }), (input, rt) =>
  registerDatabase(input, { ...rt, control: controlStore(rt), databases: databases(rt) }),
);
