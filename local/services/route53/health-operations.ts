/** Operations on health checks, and the tags of all. */
import type * as sdk from '@aws-sdk/client-route-53';
import type { Access, Home, Operation } from '../../kernel.ts';
import { operation } from '../declare.ts';
import { invalidInput } from './errors.ts';
import type { HealthCheck, HealthChecks } from './health-checks.ts';
import { readConfig, showConfig } from './health-config.ts';
import { zoneArn } from './zone-operations.ts';
import type { Zones } from './zones.ts';

const checkArn = (id: string | undefined): string => `arn:aws:route53:::healthcheck/${id ?? ''}`;

const on =
  (action: string) =>
  ({ HealthCheckId }: { HealthCheckId?: string | undefined }): Access => ({
    action: `route53:${action}`,
    resources: [checkArn(HealthCheckId)],
  });
const onAll = (action: string) => (): Access => ({ action: `route53:${action}`, resources: ['*'] });

export function healthOperations({ clock }: Home, checks: HealthChecks): Record<string, Operation> {
  return {
    CreateHealthCheck: operation<sdk.CreateHealthCheckRequest, sdk.CreateHealthCheckResponse>(
      ['CallerReference', 'HealthCheckConfig'],
      onAll('CreateHealthCheck'),
      ({ CallerReference, HealthCheckConfig }) => {
        if (!CallerReference || HealthCheckConfig === undefined) {
          throw invalidInput('CallerReference and HealthCheckConfig are required.');
        }
        const check = checks.create(CallerReference, readConfig(HealthCheckConfig));
        const Location = `https://route53.amazonaws.com/2013-04-01/healthcheck/${check.id}`;
        return { HealthCheck: showCheck(check), Location };
      },
    ),
    GetHealthCheck: operation<sdk.GetHealthCheckRequest, sdk.GetHealthCheckResponse>(
      ['HealthCheckId'],
      on('GetHealthCheck'),
      ({ HealthCheckId }) => ({ HealthCheck: showCheck(checks.find(HealthCheckId)) }),
    ),
    ListHealthChecks: operation<sdk.ListHealthChecksRequest, sdk.ListHealthChecksResponse>(
      ['Marker', 'MaxItems'],
      onAll('ListHealthChecks'),
      ({ Marker, MaxItems = 100 }) => {
        const all = checks.all().toSorted((a, b) => (a.id < b.id ? -1 : 1));
        const from = Marker === undefined ? 0 : all.findIndex(({ id }) => id === Marker);
        if (from < 0) throw invalidInput(`No health check at the marker ${Marker}`);
        const next = all[from + MaxItems];
        return {
          HealthChecks: all.slice(from, from + MaxItems).map(showCheck),
          ...{ Marker: Marker ?? '', IsTruncated: next !== undefined, MaxItems },
          ...(next && { NextMarker: next.id }),
        };
      },
    ),
    GetHealthCheckStatus: operation<sdk.GetHealthCheckStatusRequest, sdk.GetHealthCheckStatusResponse>(
      ['HealthCheckId'],
      on('GetHealthCheckStatus'),
      ({ HealthCheckId }) => ({ HealthCheckObservations: observations(checks.find(HealthCheckId)) }),
    ),
    UpdateHealthCheck: operation<sdk.UpdateHealthCheckRequest, sdk.UpdateHealthCheckResponse>(
      [
        ...(['HealthCheckId', 'HealthCheckVersion', 'IPAddress', 'Port', 'ResourcePath'] as const),
        ...(['FullyQualifiedDomainName', 'FailureThreshold', 'Inverted', 'Disabled', 'HealthThreshold'] as const),
        ...(['ChildHealthChecks', 'EnableSNI', 'AlarmIdentifier', 'InsufficientDataHealthStatus'] as const),
      ],
      on('UpdateHealthCheck'),
      ({ HealthCheckId, HealthCheckVersion, ...changed }) => {
        const check = checks.find(HealthCheckId);
        // What is left out stays as it is.
        const given = Object.entries(changed).filter(([, value]) => value !== undefined);
        const config = readConfig({ ...showConfig(check.config), ...Object.fromEntries(given) });
        checks.update(check, config, HealthCheckVersion);
        return { HealthCheck: showCheck(check) };
      },
    ),
    DeleteHealthCheck: operation<sdk.DeleteHealthCheckRequest, sdk.DeleteHealthCheckResponse>(
      ['HealthCheckId'],
      on('DeleteHealthCheck'),
      ({ HealthCheckId }) => {
        checks.delete(checks.find(HealthCheckId));
        return {};
      },
    ),
  };

  /** One checker, so one observation: it is none of AWS's, and names no Region. */
  function observations(check: HealthCheck): sdk.HealthCheckObservation[] {
    if (check.config.type === 'CALCULATED') {
      throw invalidInput("You can't use GetHealthCheckStatus to get the status of a calculated health check.");
    }
    const { last } = check;
    if (last === undefined) return [];
    const StatusReport = { Status: last.text, CheckedTime: new Date(Math.min(last.at, clock.now())) };
    return [{ IPAddress: '127.0.0.1', StatusReport }];
  }
}

function showCheck({ id, callerReference, config, version, alarm }: HealthCheck): sdk.HealthCheck {
  return {
    ...{ Id: id, CallerReference: callerReference, HealthCheckConfig: showConfig(config), HealthCheckVersion: version },
    ...(alarm && { CloudWatchAlarmConfiguration: alarmConfiguration(alarm.input) }),
  };
}

type AlarmInput = NonNullable<HealthCheck['alarm']>['input'];

function alarmConfiguration(input: AlarmInput): sdk.CloudWatchAlarmConfiguration {
  const { EvaluationPeriods, Threshold, ComparisonOperator, Period, MetricName, Namespace, Statistic } = input;
  return {
    EvaluationPeriods: Number(EvaluationPeriods),
    Threshold: Number(Threshold),
    ComparisonOperator: ComparisonOperator as sdk.ComparisonOperator,
    Period: Number(Period),
    ...{ MetricName, Namespace, Statistic },
    Dimensions: (input.Dimensions ?? []).map(({ Name, Value }) => ({ Name, Value })),
  };
}

export function tagOperations(zones: Zones, checks: HealthChecks): Record<string, Operation> {
  type Target = { ResourceType?: string | undefined; ResourceId?: string | undefined };
  const tagsOf = ({ ResourceType, ResourceId }: Target): Map<string, string> =>
    ResourceType === 'healthcheck' ? checks.find(ResourceId).tags : zones.find(ResourceId).tags;
  const access =
    (action: string) =>
    ({ ResourceType, ResourceId }: Target): Access => ({
      action: `route53:${action}`,
      resources: [ResourceType === 'healthcheck' ? checkArn(ResourceId) : zoneArn(ResourceId)],
    });
  return {
    ChangeTagsForResource: operation<sdk.ChangeTagsForResourceRequest, sdk.ChangeTagsForResourceResponse>(
      ['ResourceType', 'ResourceId', 'AddTags', 'RemoveTagKeys'],
      access('ChangeTagsForResource'),
      ({ AddTags = [], RemoveTagKeys = [], ...target }) => {
        const tags = tagsOf(target);
        for (const key of RemoveTagKeys) tags.delete(key);
        for (const { Key = '', Value = '' } of AddTags) tags.set(Key, Value);
        return {};
      },
    ),
    ListTagsForResource: operation<sdk.ListTagsForResourceRequest, sdk.ListTagsForResourceResponse>(
      ['ResourceType', 'ResourceId'],
      access('ListTagsForResource'),
      ({ ResourceType, ResourceId }) => {
        const Tags = [...tagsOf({ ResourceType, ResourceId })].map(([Key, Value]) => ({ Key, Value }));
        return { ResourceTagSet: { ResourceType, ResourceId, Tags } };
      },
    ),
  };
}
