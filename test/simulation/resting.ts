/**
 * What rests in the simulation of all that a deployment watches by. A look at readiness asks twelve sources at once and
 * changes nothing: it is taken where a plan says so, not every half hour. The simulation has no builds, so nothing watches or
 * drills the cluster, or compares with Git; a person sees changes. Where the DR Region does not stand by, it has nothing to
 * look after; nobody watches the primary from there, and nothing rings because nobody does.
 */
import type { HealthCheck } from '@aws-sdk/client-route-53';
import type { Site } from './site.ts';

interface Watches {
  readonly schedules: readonly string[];
  /** What would ring because they rest. */
  readonly alarms: readonly string[];
}

/** Of what a plan starts by itself, or of what needs builds. */
const unwatched: Watches = {
  schedules: ['readiness', 'cluster-watch', 'cluster-drill', 'configuration-check'],
  alarms: [],
};
const unguarded: Watches = { schedules: ['region-guard'], alarms: ['region-guard-silent'] };
/** Where the sentinel has looked once. */
const looked: Watches = { schedules: ['sentinel'], alarms: ['sentinel-silent'] };
const dormant: Watches = {
  schedules: ['heartbeat', 'sentinel', 'drill-sweep', 'progress', 'region-guard', 'region-probe', 'region-latch'],
  alarms: [
    ...['database-heartbeat-missing', 'database-connections-refused', 'database-damage-found', 'sentinel-silent'],
    ...['region-guard-silent', 'region-probe-silent', 'region-latch-silent'],
  ],
};

export async function restWatches(site: Site, looksOnce: boolean): Promise<void> {
  const { names, standsBy, configuration } = site;
  const { primary, dr } = configuration;
  const rest = {
    [primary.region]: [unwatched, ...(standsBy ? [] : [unguarded]), ...(looksOnce ? [looked] : [])],
    [dr.region]: [unwatched, ...(standsBy ? [] : [dormant])],
  };
  for (const [region, resting] of Object.entries(rest)) {
    for (const name of resting.flatMap(({ schedules }) => schedules))
      await site.call('scheduler', 'DeleteSchedule', { Name: names.schedule(name) }, region);
    const AlarmNames = resting.flatMap(({ alarms }) => alarms).map((name) => names.alarm(name));
    if (AlarmNames.length > 0) await site.call('cloudwatch', 'DeleteAlarms', { AlarmNames }, region);
    await site.call('eventbridge', 'DisableRule', { Name: `${names.prefix}-configuration-change` }, region);
  }
  if (!standsBy) await disableHealthChecks(site);
}

/** What traffic follows: there is none to be led elsewhere. */
async function disableHealthChecks(site: Site): Promise<void> {
  const { HealthChecks } = await site.call<{ HealthChecks: readonly HealthCheck[] }>(
    'route-53',
    'ListHealthChecks',
    {},
  );
  for (const { Id: HealthCheckId } of HealthChecks)
    await site.call('route-53', 'UpdateHealthCheck', { HealthCheckId, Disabled: true });
}
