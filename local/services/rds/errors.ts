/** The errors of the RDS API, under the names of its model; messages as RDS words them where that is known. */
import { AwsError } from '../../kernel.ts';

export const instanceNotFound = (id: string) => new AwsError('DBInstanceNotFoundFault', `DBInstance ${id} not found.`);
export const instanceExists = () => new AwsError('DBInstanceAlreadyExistsFault', 'DB instance already exists');
export const invalidState = (message: string) => new AwsError('InvalidDBInstanceStateFault', message);
export const snapshotNotFound = (id: string) => new AwsError('DBSnapshotNotFoundFault', `DBSnapshot ${id} not found.`);
export const snapshotExists = (id: string) =>
  new AwsError(
    'DBSnapshotAlreadyExistsFault',
    `Cannot create the snapshot because a snapshot with the identifier ${id} already exists.`,
  );
export const invalidSnapshotState = (message: string) => new AwsError('InvalidDBSnapshotStateFault', message);
export const automatedBackupNotFound = (id: string) =>
  new AwsError('DBInstanceAutomatedBackupNotFoundFault', `The automated backup ${id} was not found.`);
export const parameterGroupNotFound = (name: string) =>
  new AwsError('DBParameterGroupNotFoundFault', `DBParameterGroup not found: ${name}`);
export const subnetGroupNotFound = (name: string) =>
  new AwsError('DBSubnetGroupNotFoundFault', `DBSubnetGroup not found: ${name}`);
export const subnetGroupNotAllowed = () =>
  new AwsError(
    'DBSubnetGroupNotAllowedFault',
    'DbSubnetGroupName should not be specified for read replicas that are created in the same region as the master',
  );
export const keyNotAccessible = (keyId: string) =>
  new AwsError(
    'KMSKeyNotAccessibleFault',
    `The specified KMS key [${keyId}] does not exist, is not enabled or you do not have permissions to access it.`,
  );
export const snapshotQuotaExceeded = (message: string) => new AwsError('SnapshotQuotaExceededFault', message);
export const invalidRestore = (message: string) => new AwsError('InvalidRestoreFault', message);
/** Not in the model, as RDS answers them nevertheless (Common Errors). */
export const invalidValue = (message: string) => new AwsError('InvalidParameterValue', message);
export const invalidCombination = (message: string) => new AwsError('InvalidParameterCombination', message);
export const missing = (name: string) =>
  new AwsError('MissingParameter', `The request must contain the parameter ${name}.`);
