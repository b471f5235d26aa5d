import type { DebtRecord } from '../core/configuration/contracts.ts';
import { clock } from './screen.ts';

/** What is open of it, in a line. */
export const debtText = ({ import: instance, old, since, incidentId }: DebtRecord): string =>
  `since ${clock(since)}: Terraform’s state holds ${old}, and production is ${instance} (${incidentId})`;
