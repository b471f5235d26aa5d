/** The calls that functions make in a recovery, as the deployment granted them and a simulator is asked about them. */
import * as z from 'zod';

export const RecoveryCall = z.strictObject({
  actions: z.array(z.string()).min(1),
  /** Concrete ones: what a policy leaves open is filled in. Keys by alias. */
  resources: z.array(z.string()).min(1),
  /** What the calls present to conditions. */
  context: z.array(
    z.strictObject({
      key: z.string(),
      type: z.enum(['string', 'stringList', 'boolean']),
      values: z.array(z.string()).min(1),
    }),
  ),
});
export type RecoveryCall = z.infer<typeof RecoveryCall>;

/** By function and Region. */
export const RecoveryCalls = z.array(
  z.strictObject({ functionName: z.string(), region: z.string(), calls: z.array(RecoveryCall) }),
);
export type RecoveryCalls = z.infer<typeof RecoveryCalls>;
