/** What RDS refuses now and may grant later, as the error that the machines wait on. */
import { DatabaseNotReady } from '../../../core/database/errors.ts';

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** `name` of an SDK v3 error; the wire and Step Functions call the same fault otherwise (aws-facts). */
export const isNamed = (error: unknown, ...names: readonly string[]) =>
  error instanceof Error && names.includes(error.name);

export const isAtWork = (error: unknown) => isNamed(error, 'InvalidDBInstanceStateFault', 'InvalidDBInstanceState');

/** `what` cannot be done yet: the instance is being backed up, modified … Anything else is as it was. */
export const unlessAtWork = (what: string, error: unknown): unknown =>
  isAtWork(error) ? DatabaseNotReady(`${what}: ${messageOf(error)}`, { cause: error }) : error;

/**
 * RDS says at once where it has no host for an instance, as when a whole Region moves over (aws-facts): capacity comes and
 * goes, so it is asked again. What else helps is another class (User Guide, "Amazon RDS insufficient DB instance capacity"),
 * which is a person's to choose: the product makes what production is. Anything else is as it was.
 */
export const unlessFull = (
  { instanceClass, region, identifier }: { instanceClass: unknown; region: string; identifier: string },
  error: unknown,
): unknown =>
  isNamed(error, 'InsufficientDBInstanceCapacityFault', 'InsufficientDBInstanceCapacity')
    ? DatabaseNotReady(
        `RDS has no capacity of class ${instanceClass} for ${identifier} in ${region} now, and is asked again (${messageOf(error)}). If that lasts, take another class or the other Region: docs/runbooks/database.md, “No capacity”.`,
        { cause: error },
      )
    : error;
