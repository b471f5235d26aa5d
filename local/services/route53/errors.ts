/** Errors of Route 53, as its API reference names them. */
import { AwsError } from '../../kernel.ts';

export const invalidInput = (message: string) => new AwsError('InvalidInput', message);

export const noSuchHostedZone = (id: string) => new AwsError('NoSuchHostedZone', `No hosted zone found with ID: ${id}`);

export const noSuchHealthCheck = (id: string) =>
  new AwsError('NoSuchHealthCheck', `A health check with id ${id} does not exist.`);

export const noSuchChange = (id: string) =>
  new AwsError('NoSuchChange', `A change with the specified change ID does not exist: ${id}`);

export const priorRequestNotComplete = () =>
  new AwsError(
    'PriorRequestNotComplete',
    'The request was rejected because Route 53 was still processing a prior request.',
  );

/** Nothing of the batch was done. */
export const invalidChangeBatch = (messages: readonly string[]) =>
  new AwsError('InvalidChangeBatch', `[${messages.join(', ')}]`, { messages });
