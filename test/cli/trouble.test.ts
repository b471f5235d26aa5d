import { describe, expect, test } from 'vitest';
import { UsageError } from '../../cli/exit-codes.ts';
import { troubleOf } from '../../cli/trouble.ts';

const named = (name: string, message = 'why') => Object.assign(new Error(message), { name });
const coded = (code: string) => Object.assign(new Error(`connect ${code}`), { code });

describe('What a person reads when the cloud does not answer', () => {
  test.each([
    { case: 'nobody listens', error: coded('ECONNREFUSED'), says: /^AWS cannot be reached \(connect ECONNREFUSED\)/ },
    { case: 'no name resolves', error: coded('ENOTFOUND'), says: /cannot be reached/ },
    {
      case: 'no address of a host answers',
      error: new AggregateError([coded('ECONNREFUSED')]),
      says: /cannot be reached \(connect ECONNREFUSED\)/,
    },
    {
      case: 'it is the cause of what the SDK threw',
      error: new Error('', { cause: coded('ETIMEDOUT') }),
      says: /cannot be reached/,
    },
    {
      case: 'a request is taken, and not answered',
      error: named('TimeoutError', '@smithy/node-http-handler - [ERROR] a request has exceeded 10000 ms.'),
      says: /cannot be reached \(a request has exceeded 10000 ms\.\)/,
    },
    { case: 'there are no credentials', error: named('CredentialsProviderError'), says: /without credentials/ },
    { case: 'the key is unknown', error: named('UnrecognizedClientException'), says: /does not know these/ },
    { case: 'the signature is wrong', error: named('InvalidSignatureException'), says: /does not know these/ },
    { case: 'the session has ended', error: named('ExpiredTokenException'), says: /expired/ },
    {
      case: 'a permission is missing',
      error: named('AccessDeniedException'),
      says: /does not let you do this \(why\)/,
    },
    { case: 'nothing is deployed there', error: named('ResourceNotFoundException'), says: /no such installation/ },
  ])('says that $case', ({ error, says }) => {
    expect(troubleOf(error, undefined)?.problem).toMatch(says);
    expect(troubleOf(error, undefined)?.next).not.toBe('');
  });

  test('of an embedded cloud that is not there: how to start it', () => {
    const trouble = troubleOf(coded('ECONNREFUSED'), 'http://127.0.0.1:1');
    expect(trouble).toMatchObject({ problem: expect.stringContaining('http://127.0.0.1:1') });
    expect(trouble?.next).toContain('npm run cloud');
  });

  test('of an endpoint that is none', () => {
    expect(troubleOf(new TypeError('Invalid URL'), 'nonsense')?.problem).toBe('AWS_ENDPOINT_URL=nonsense is no URL.');
  });

  test('what is not the cloud’s fault is not explained away', () => {
    expect(troubleOf(new TypeError('x is not a function'), undefined)).toBeUndefined();
    expect(troubleOf(new UsageError('--reason is missing'), undefined)).toBeUndefined();
    expect(troubleOf('text', undefined)).toBeUndefined();
  });
});
