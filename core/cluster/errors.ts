/** Errors of the cluster area. */
import { defineError } from '../errors.ts';

export const ClusterUnknown = defineError({
  name: 'ClusterUnknown',
  retryable: false,
  next: 'Look at the cluster in the EKS console: unknown rebuilds nothing. If it is lost, npm run dr -- retry <incident> --waive control-plane says so in your name.',
});
export const ClusterNotReady = defineError({
  name: 'ClusterNotReady',
  retryable: true,
  next: 'Read which node or deployment the message names: kubectl describe it. Nothing is undone; npm run dr -- retry <incident> goes on from what is there.',
});
export const SourceUnreachable = defineError({
  name: 'SourceUnreachable',
  retryable: false,
  next: 'Make the Git repository reachable from the build (parameter of the repository, network, commit), then npm run dr -- retry <incident>. Without it Terraform has nothing to apply.',
});
export const OverlayUnusable = defineError({
  name: 'OverlayUnusable',
  retryable: false,
  next: 'Correct the overlay in Git, or take a backup so that there is an export, then npm run dr -- retry <incident>.',
});
export const TerraformUnavailable = defineError({
  name: 'TerraformUnavailable',
  retryable: false,
  next: 'Nothing was changed. Put Terraform for linux_arm64 where the message looked for it (docs/deploy.md, “Terraform for the builds”), then npm run dr -- retry <incident>.',
});
export const TerraformFailed = defineError({
  name: 'TerraformFailed',
  retryable: false,
  next: 'Read the build’s log, which the timeline names; correct what Terraform says, then npm run dr -- retry <incident>: what it made stays, and is gone on from.',
});
export const PlanRefused = defineError({
  name: 'PlanRefused',
  retryable: false,
  next: 'Correct Terraform’s configuration or state until its plan leaves alone what the message names, then npm run dr -- retry <incident>. If that is really meant: --waive protected-resources.',
});
export const PlanChanged = defineError({
  name: 'PlanChanged',
  retryable: false,
  next: 'Somebody changed the infrastructure or the repository after the approval: npm run dr -- retry <incident> plans and asks again.',
});
export const ManifestsRefused = defineError({
  name: 'ManifestsRefused',
  retryable: false,
  next: 'Read the build’s log: the cluster is there, and refused a manifest. Correct it in Git, then npm run dr -- retry <incident>.',
});
export const WrongImage = defineError({
  name: 'WrongImage',
  retryable: false,
  next: 'A deployment runs another image than its manifest says, or one that the registry does not hold: push or correct it, then npm run dr -- retry <incident>.',
});
export const DrillAccountRefused = defineError({
  name: 'DrillAccountRefused',
  retryable: false,
  next: 'Correct cluster.drillAccount of the configuration, or the policies of its role (docs/runbooks/cluster.md, “Drills in another account”), then start the drill again: it has made nothing.',
});
export const LeftBehind = defineError({
  name: 'LeftBehind',
  retryable: false,
  next: 'Destroy the drill’s cluster by hand with its own variables and state; the sweep tries it as well, every 15 minutes.',
});
