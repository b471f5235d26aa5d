/**
 * CloudTrail as rules of EventBridge see it: every call that changes something becomes an event "AWS API Call via
 * CloudTrail" on the default bus of the Region that it acted in. It keeps no history and no trail's files.
 */
import { randomUUID } from 'node:crypto';
import { callerArn } from '../authorization/evaluate.ts';
import { AwsError, type BusEvent, type Call, type ServiceName } from '../kernel.ts';
import { entityId } from '../services/iam/roles.ts';
import { readOnly, type TrailedService, trailed } from './services.ts';
import { answerOf, shapeOf } from './shape.ts';

/** The average that the CloudTrail User Guide gives from a call to its delivery; AWS promises nothing. */
export const deliveryMs = 5 * 60_000;
const DETAIL_TYPE = 'AWS API Call via CloudTrail';

/** How it ended. */
export type Outcome = { readonly output: unknown } | { readonly error: unknown };

export interface Trail {
  record(service: ServiceName, operation: string, input: object, call: Call, outcome: Outcome): void;
}

export interface TrailOptions {
  /** Whether a rule of that Region may match such an event: what nobody awaits is not made. */
  isAwaited(source: string, detailType: string, region: string): boolean;
  /** Epoch milliseconds in that Region. */
  now(region: string): number;
  /** Puts the event on the Region's default bus after that many milliseconds, which AWS owns. */
  deliver(event: BusEvent, region: string, afterMs: number): void;
}

export function createTrail({ isAwaited, now, deliver }: TrailOptions): Trail {
  return {
    record(name, operation, input, call, outcome) {
      const service = trailed[name];
      if (service === undefined || readOnly.test(operation) || service.untold?.test(operation)) return;
      const source = `aws.${service.eventSource}`;
      if (!isAwaited(source, DETAIL_TYPE, call.region) || isOurs(outcome)) return;
      const time = now(call.region);
      const detail = detailOf(service, operation, input, call, outcome, time);
      deliver({ source, 'detail-type': DETAIL_TYPE, resources: [], detail, time }, call.region, deliveryMs);
    },
  };
}

/** What only the embedded cloud refuses never happens on AWS. */
const isOurs = (outcome: Outcome): boolean =>
  'error' in outcome && (!(outcome.error instanceof AwsError) || outcome.error.code === 'NotImplemented');

function detailOf(
  service: TrailedService,
  operation: string,
  input: object,
  call: Call,
  outcome: Outcome,
  time: number,
): Record<string, unknown> {
  const { account, region, requestId } = call;
  const arn = service.resource?.arnOf({ account, region, input });
  return {
    eventVersion: '1.11',
    userIdentity: identityOf(call),
    eventTime: `${new Date(time).toISOString().slice(0, 19)}Z`,
    eventSource: `${service.eventSource}.amazonaws.com`,
    eventName: service.events?.[operation] ?? operation,
    awsRegion: region,
    sourceIPAddress: call.principal.kind === 'service' ? call.principal.service : '127.0.0.1',
    ...('error' in outcome && errorOf(service, outcome.error)),
    requestParameters: shapeOf(input, service),
    responseElements: 'output' in outcome ? answerOf(outcome.output as object | undefined, service) : null,
    requestID: requestId,
    eventID: randomUUID(),
    readOnly: false,
    ...(arn !== undefined && { resources: [{ accountId: account, type: service.resource?.type, ARN: arn }] }),
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: account,
    eventCategory: 'Management',
  };
}

function errorOf({ eventSource }: TrailedService, error: unknown): object {
  const { code, message } = error as AwsError;
  return { errorCode: eventSource === 'ec2' ? `Client.${code}` : code, errorMessage: message };
}

/** CloudTrail User Guide, "CloudTrail userIdentity element". */
function identityOf({ principal, account, accessKeyId }: Call): Record<string, unknown> {
  if (principal.kind === 'service') return { type: 'AWSService', invokedBy: principal.service };
  const key = accessKeyId ?? (principal.kind === 'operator' ? principal.accessKeyId : undefined);
  const common = {
    arn: callerArn(principal, account),
    accountId: account,
    ...(key !== undefined && { accessKeyId: key }),
  };
  if (principal.kind === 'operator') return { type: 'Root', principalId: account, ...common };
  const { roleArn, sessionName } = principal;
  const role = entityId('AROA', lastOf(roleArn));
  return {
    type: 'AssumedRole',
    principalId: `${role}:${sessionName}`,
    ...common,
    sessionContext: {
      sessionIssuer: { type: 'Role', principalId: role, arn: roleArn, accountId: account, userName: lastOf(roleArn) },
    },
  };
}

const lastOf = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1);
