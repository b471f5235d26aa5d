/** Every check, in the order in which people read them. */
import type { Check } from '../check.ts';
import { backup, backupStandby } from './backup.ts';
import { clusterAccess } from './cluster-access.ts';
import { dns } from './dns.ts';
import { drills } from './drills.ts';
import { certificateEndpoint } from './endpoint.ts';
import { heartbeat } from './heartbeat.ts';
import { images } from './images.ts';
import { keys, keysStandby } from './keys.ts';
import { permissions } from './permissions.ts';
import { profile } from './profile.ts';
import { quotas, quotasStandby } from './quotas.ts';
import { reach } from './reach.ts';
import { certificateStandby, replicaLag, replication } from './replica.ts';
import { restoreWindow, restoreWindowStandby } from './restore-window.ts';
import { secrets, secretsStandby } from './secrets.ts';
import { subscriptions, subscriptionsStandby } from './subscriptions.ts';
import { tenure } from './tenure.ts';
import { terraformState } from './terraform-state.ts';

export const checks: readonly Check[] = [
  restoreWindow,
  restoreWindowStandby,
  replication,
  replicaLag,
  certificateStandby,
  backup,
  backupStandby,
  heartbeat,
  tenure,
  profile,
  reach,
  keys,
  keysStandby,
  secrets,
  secretsStandby,
  images,
  terraformState,
  quotas,
  quotasStandby,
  permissions,
  clusterAccess,
  certificateEndpoint,
  dns,
  subscriptions,
  subscriptionsStandby,
  ...drills,
];
