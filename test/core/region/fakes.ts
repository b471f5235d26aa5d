/** What tests of the region area share. */
import type { Failover } from '../../../core/database/contracts.ts';

export const replicaName = 'stocker-pro-staging-replica';

export const failover = (change: Partial<Failover> = {}): Failover => ({
  style: 'ungraceful',
  from: 'us-east-1',
  to: 'us-west-2',
  replica: replicaName,
  primary: 'lost',
  reasons: [],
  waived: [],
  isPromoted: false,
  notes: [],
  ...change,
});
