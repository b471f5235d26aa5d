/** Errors of the region area. Those that say `retryable` are what the machines wait on. */
import { defineError } from '../errors.ts';

export const FailoverDenied = defineError({
  name: 'FailoverDenied',
  retryable: false,
  next: 'Nothing was changed. Remove what the message names; or start again with a waiver that names it, if you answer for it.',
});
export const ReplicaMissing = defineError({
  name: 'ReplicaMissing',
  retryable: false,
  next: 'Look at the read replicas and the replicated automated backups of the Region (docs/runbooks/region.md): a failover needs one of them, a switchover a replica.',
});
export const ReplicaBehind = defineError({
  name: 'ReplicaBehind',
  retryable: true,
  next: 'Nothing: the replica is replaying. If it gives up, look at its lag; production takes writes again by itself.',
});
export const PromotionFailed = defineError({
  name: 'PromotionFailed',
  retryable: false,
  next: 'Read the events of the instance in RDS; correct what its status names, then `npm run dr -- retry <incident>`.',
});
export const StandbyNotReady = defineError({
  name: 'StandbyNotReady',
  retryable: true,
  next: 'Nothing: nodes are joining or pods starting. If it gives up, look at the node group and describe the pods.',
});
export const StandbyMissing = defineError({
  name: 'StandbyMissing',
  retryable: false,
  next: 'Compare region.standby in the configuration with the cluster, and the function’s access entry; then `npm run dr -- retry <incident>`.',
});
export const TrafficNotMoved = defineError({
  name: 'TrafficNotMoved',
  retryable: true,
  next: 'Nothing: DNS is moving. If it gives up, read what the runbook says of a latch that does not take effect.',
});
export const TenureNotOver = defineError({
  name: 'TenureNotOver',
  retryable: true,
  next: 'Nothing: fencing is strict, and the primary fences itself at the end of its tenure; the message says when. Who knows that it is gone for good may start again with --waive tenure.',
});
export const RegionNotHome = defineError({
  name: 'RegionNotHome',
  retryable: false,
  next: 'Read what the message says of the instances there; correct it, then `npm run dr -- failback` again.',
});
