/** From an AwsError to what every protocol needs to say of it. */
import { AwsError } from '../kernel.ts';
import type { ErrorShape, ServiceShape } from './schema.ts';

export interface WireError {
  /** The shape's name, which the JSON protocols send as `__type`. */
  readonly name: string;
  /** The code of the query protocols and of `x-amzn-query-error`. */
  readonly code: string;
  readonly message: string;
  readonly status: number;
  readonly fault: 'client' | 'server';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly shape: ErrorShape | undefined;
}

/** Statuses that the models do not tell; else 400 (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, Common Errors of each API reference). */
const statuses: Readonly<Record<string, number>> = {
  AccessDenied: 403,
  AuthorizationError: 403,
  UnauthorizedOperation: 403,
  InvalidClientTokenId: 403,
  InvalidSignatureException: 403,
  SignatureDoesNotMatch: 403,
  ExpiredToken: 403,
  BucketAlreadyExists: 409,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  OperationAborted: 409,
  InvalidBucketState: 409,
  InvalidObjectState: 403,
  InvalidRange: 416,
  LifecycleConfigurationNotFoundError: 404,
  MethodNotAllowed: 405,
  NoSuchBucket: 404,
  NoSuchBucketPolicy: 404,
  NoSuchCORSConfiguration: 404,
  NoSuchKey: 404,
  NoSuchLifecycleConfiguration: 404,
  NoSuchObjectLockConfiguration: 404,
  NoSuchTagSet: 404,
  NoSuchUpload: 404,
  NoSuchVersion: 404,
  NotFound: 404,
  NotModified: 304,
  ObjectLockConfigurationNotFoundError: 404,
  PreconditionFailed: 412,
  ReplicationConfigurationNotFoundError: 404,
  ServerSideEncryptionConfigurationNotFoundError: 404,
  InternalFailure: 500,
  InternalError: 500,
  NotImplemented: 501,
  ServiceUnavailable: 503,
  SlowDown: 503,
};

/** Describes a thrown error; anything but an AwsError is a fault of the cloud itself, and is printed. */
export function toWireError(error: unknown, service: ServiceShape | undefined): WireError {
  if (!(error instanceof AwsError)) {
    console.error(error);
    const message = error instanceof Error ? error.message : String(error);
    return toWireError(new AwsError('InternalFailure', message), service);
  }
  const { code, message, fields } = error;
  const shape = service?.errors.get(code);
  const known = shape?.status ?? statuses[code];
  if (shape) return { ...shape, status: known ?? (shape.fault === 'server' ? 500 : 400), message, fields, shape };
  const rest = service?.protocol.startsWith('rest');
  const status = known ?? (rest && code === 'AccessDeniedException' ? 403 : 400);
  return { name: code, code, message, status, fault: status < 500 ? 'client' : 'server', fields, shape: undefined };
}
