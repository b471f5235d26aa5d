/** Calls that change something, which a stopped execution's function may still make. */

/** The last of them: words that its input holds, where the operation alone does not say what it changes. */
export type Racing = readonly (readonly [name: string, service: string, operation: string, about?: string])[];

/** Of a cut-over, whichever machine makes it. */
export const racingCutOver: Racing = [
  ['database/cut-over', 'dynamodb', 'PutItem', 'active-database'],
  ['database/cut-over', 'ssm', 'PutParameter'],
];
