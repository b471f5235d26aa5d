/** Conditional writes: whether the condition held is an answer, not a failure. */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';

/** False where the condition did not hold; every other failure is thrown. */
export async function conditionHolds(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
