/** The configuration of health checks: what is accepted, and its defaults. */
import { isIP } from 'node:net';
import type * as sdk from '@aws-sdk/client-route-53';
import { isTrue, notImplemented, refuseUnknown } from '../declare.ts';
import { invalidInput } from './errors.ts';

export type EndpointType = 'HTTP' | 'HTTPS' | 'TCP';

interface Common {
  readonly isInverted: boolean;
  readonly isDisabled: boolean;
}
/** Asks an endpoint at an interval. */
export interface EndpointConfig extends Common {
  readonly type: EndpointType;
  readonly address: string | undefined;
  readonly host: string | undefined;
  readonly port: number;
  readonly path: string | undefined;
  readonly intervalSeconds: number;
  readonly failureThreshold: number;
  readonly sendsServerName: boolean | undefined;
}
/** Counts other checks that are healthy. */
export interface CalculatedConfig extends Common {
  readonly type: 'CALCULATED';
  readonly children: readonly string[];
  readonly threshold: number;
}
/** Judges the data that a CloudWatch alarm watches. */
export interface MetricConfig extends Common {
  readonly type: 'CLOUDWATCH_METRIC';
  readonly alarm: { readonly region: string; readonly name: string };
  readonly withoutData: 'Healthy' | 'Unhealthy' | 'LastKnownStatus';
}
export type HealthConfig = EndpointConfig | CalculatedConfig | MetricConfig;

export const isEndpoint = (config: HealthConfig): config is EndpointConfig =>
  config.type !== 'CALCULATED' && config.type !== 'CLOUDWATCH_METRIC';

const common = ['Type', 'Inverted', 'Disabled'];
const members: Readonly<Record<HealthConfig['type'], readonly string[]>> = {
  ...endpointMembers(),
  CALCULATED: ['ChildHealthChecks', 'HealthThreshold'],
  CLOUDWATCH_METRIC: ['AlarmIdentifier', 'InsufficientDataHealthStatus'],
};

function endpointMembers(): Record<EndpointType, readonly string[]> {
  const TCP = ['IPAddress', 'FullyQualifiedDomainName', 'Port', 'RequestInterval', 'FailureThreshold'];
  const HTTP = [...TCP, 'ResourcePath'];
  return { TCP, HTTP, HTTPS: [...HTTP, 'EnableSNI'] };
}

/** Throws InvalidInput, or NotImplemented for a type or a member that is not here. */
export function readConfig(input: sdk.HealthCheckConfig): HealthConfig {
  const type = (Object.keys(members) as HealthConfig['type'][]).find((each) => each === input.Type);
  if (type === undefined) throw notImplemented(`health checks of type ${input.Type}`);
  // CloudFormation hands on what a template leaves out as it is; the latency graphs are the console's.
  const { MeasureLatency, ...given } = input;
  if (isTrue(MeasureLatency)) throw notImplemented('MeasureLatency');
  const foreign = Object.values(members).flat();
  const own = [...common, ...members[type]];
  refuseUnknown(`a health check of type ${type}`, given, [...common, ...foreign]);
  const wrong = Object.entries(given).find(([name, value]) => value !== undefined && !own.includes(name));
  if (wrong !== undefined) throw invalidInput(`Invalid parameter : ${wrong[0]} is not for a check of type ${type}`);
  const switches = { isInverted: isTrue(given.Inverted), isDisabled: isTrue(given.Disabled) };
  if (type === 'CALCULATED') return readCalculated(given, switches);
  return type === 'CLOUDWATCH_METRIC' ? readMetric(given, switches) : readEndpoint(type, given, switches);
}

function readEndpoint(type: EndpointType, given: sdk.HealthCheckConfig, switches: Common): EndpointConfig {
  const { IPAddress: address, FullyQualifiedDomainName: host, ResourcePath: path } = given;
  const intervalSeconds = Number(given.RequestInterval ?? 30);
  const failureThreshold = Number(given.FailureThreshold ?? 3);
  const port = Number(given.Port ?? { HTTP: 80, HTTPS: 443, TCP: Number.NaN }[type]);
  if (address === undefined && host === undefined) {
    throw invalidInput('Invalid parameter : either IPAddress or FullyQualifiedDomainName is required');
  }
  if (address !== undefined && isIP(address) === 0) throw invalidInput(`Invalid parameter : IPAddress ${address}`);
  // On AWS these are the addresses that no check may have; here there are no others.
  if (address !== undefined && !isLoopback(address)) throw notImplemented(`a health check of ${address}`);
  if (!(port >= 1 && port <= 65_535)) throw invalidInput('Invalid parameter : Port');
  if (![10, 30].includes(intervalSeconds)) throw invalidInput('Invalid parameter : RequestInterval must be 10 or 30');
  if (!(failureThreshold >= 1 && failureThreshold <= 10)) {
    throw invalidInput('Invalid parameter : FailureThreshold must be between 1 and 10');
  }
  const sendsServerName = type === 'HTTPS' ? isTrue(given.EnableSNI ?? true) : undefined;
  return { type, address, host, port, path, intervalSeconds, failureThreshold, sendsServerName, ...switches };
}

/** The embedded cloud and everything in it is on this machine. */
export const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

function readCalculated(given: sdk.HealthCheckConfig, switches: Common): CalculatedConfig {
  const { ChildHealthChecks: children = [], HealthThreshold: threshold = children.length } = given;
  if (children.length > 255) throw invalidInput('Invalid parameter : at most 255 ChildHealthChecks');
  if (!(threshold >= 0 && threshold <= 256)) throw invalidInput('Invalid parameter : HealthThreshold');
  return { type: 'CALCULATED', children, threshold: Number(threshold), ...switches };
}

function readMetric(given: sdk.HealthCheckConfig, switches: Common): MetricConfig {
  const { Name: name, Region: region } = given.AlarmIdentifier ?? {};
  const withoutData = given.InsufficientDataHealthStatus ?? 'LastKnownStatus';
  if (name === undefined || region === undefined) throw invalidInput('Invalid parameter : AlarmIdentifier');
  if (!['Healthy', 'Unhealthy', 'LastKnownStatus'].includes(withoutData)) {
    throw invalidInput(`Invalid parameter : InsufficientDataHealthStatus ${withoutData}`);
  }
  return { type: 'CLOUDWATCH_METRIC', alarm: { name, region }, withoutData, ...switches };
}

export function showConfig(config: HealthConfig): sdk.HealthCheckConfig {
  const shown = { Type: config.type, Inverted: config.isInverted, Disabled: config.isDisabled };
  if (config.type === 'CALCULATED') {
    return { ...shown, ChildHealthChecks: [...config.children], HealthThreshold: config.threshold };
  }
  if (config.type === 'CLOUDWATCH_METRIC') {
    const { alarm, withoutData } = config;
    const AlarmIdentifier = { Name: alarm.name, Region: alarm.region as sdk.CloudWatchRegion };
    return { ...shown, AlarmIdentifier, InsufficientDataHealthStatus: withoutData };
  }
  const { address, host, port, path, intervalSeconds, failureThreshold, sendsServerName } = config;
  return {
    ...shown,
    ...(address !== undefined && { IPAddress: address }),
    ...(host !== undefined && { FullyQualifiedDomainName: host }),
    Port: port,
    ...(path !== undefined && { ResourcePath: path }),
    RequestInterval: intervalSeconds,
    FailureThreshold: failureThreshold,
    MeasureLatency: false,
    ...(sendsServerName !== undefined && { EnableSNI: sendsServerName }),
  };
}
