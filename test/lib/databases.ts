/** The databases of a stack, as IAM sees them, and who may change what. */
import type { Stack } from './stacks.ts';

export const rds = ({ region, configuration }: Stack, resource: string) =>
  `arn:aws:rds:${region}:${configuration.account}:${resource}`;
export const drill = (stack: Stack) => rds(stack, `db:dr-drill-${stack.configuration.database.identifier}-0a1b2c3d`);
export const tag = 'aws:ResourceTag/stocker-dr:environment';
export const ours = ({ environment }: Stack) => ({ [tag]: environment });
/** What a recovery makes beside production. */
export const recovered = (stack: Stack) => rds(stack, `db:${stack.configuration.database.identifier}-0a1b2c3d`);
export const modifiers = ['database/configure-database', 'database/fence-database', 'database/protect-database'];
/** After a cut-over production bears a name of this kind: its protection is repaired under that one, too. */
export const repairersOf = (stack: Stack, made: string) =>
  made === recovered(stack) ? ['backup/assure-protection'] : [];
/** Of the replicas of production, which bear such a name, one function gives them their parameters. */
export const modifiersOf = (stack: Stack, made: string) =>
  made === recovered(stack) ? [...repairersOf(stack, made), ...modifiers, 'region/await-replica'] : modifiers;
export const deleters = ['database/tear-down', 'incident/clean-up-stopped'];
