import * as z from 'zod';
import { settleDebt } from '../../core/configuration/settle-debt.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { debts } from '../adapters/aws/debts.ts';
import { buildResults } from '../adapters/build-results.ts';
import { makeHandler } from '../handler.ts';

/** The last command of the build that gives Terraform’s state the instance that is production. */
export const handler = makeHandler(z.object({ resourceId: z.string() }), (input, rt) =>
  settleDebt(input, { ...rt, control: controlStore(rt), debts: debts(rt), results: buildResults }),
);
