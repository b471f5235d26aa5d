import { expect, test } from 'vitest';
import { fromItem, toItem } from '../../../../lambdas/adapters/aws/item.ts';
import { updateOf } from '../../../../lambdas/adapters/aws/update-expression.ts';

test('a record survives DynamoDB, its keys do not belong to it', () => {
  const record = { text: 'a', number: 1.5, yes: true, nothing: null, list: ['x', { ttl: 5 }], map: { pk: 'kept' } };
  expect(fromItem(toItem({ ...record, left: undefined, pk: 'p', sk: 's', ttl: 1 }))).toEqual(record);
});

test('refuses what no record of ours may hold', () => {
  expect(() => toItem({ when: Number.NaN })).toThrow('NaN');
});

test('an update sets, keeps the first value, adds and removes', () => {
  const update = updateOf(
    { status: 'running' },
    { first: { startedAt: 't' }, add: { attempts: 1 }, remove: ['error', 'status'] },
  );
  expect(update).toEqual({
    UpdateExpression:
      'SET #status = :status, #startedAt = if_not_exists(#startedAt, :startedAt) ADD #attempts :attempts REMOVE #error',
    ExpressionAttributeNames: {
      '#status': 'status',
      '#startedAt': 'startedAt',
      '#attempts': 'attempts',
      '#error': 'error',
    },
    ExpressionAttributeValues: { ':status': { S: 'running' }, ':startedAt': { S: 't' }, ':attempts': { N: '1' } },
  });
});
