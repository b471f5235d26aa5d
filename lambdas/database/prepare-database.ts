import * as z from 'zod';
import { prepareDatabase } from '../../core/database/prepare-database.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeHandler } from '../handler.ts';

export const handler = makeHandler(z.unknown(), (_event, rt) =>
  prepareDatabase({ ...rt, control: controlStore(rt), ...logins(rt) }),
);
