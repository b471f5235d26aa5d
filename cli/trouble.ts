/** Why the cloud did not answer as it should, in words: by the names of the SDK's errors and Node's. */
import { UsageError } from './exit-codes.ts';

export interface Trouble {
  /** Nobody answered: what was asked is not known, and may be well. */
  readonly isSilence: boolean;
  readonly problem: string;
  readonly next: string;
}

interface Kind {
  readonly names: readonly string[];
  readonly problem: string;
  readonly next: string;
}

const signIn = 'Sign in again (such as `aws sso login`), or set AWS_PROFILE.';

const kinds: readonly Kind[] = [
  {
    names: [
      'ECONNREFUSED',
      'ECONNRESET',
      'ENOTFOUND',
      'EAI_AGAIN',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'ETIMEDOUT',
      'TimeoutError',
    ],
    problem: 'cannot be reached',
    next: 'Look at your network. Where a Region of AWS is down, ask the other one with --region.',
  },
  {
    names: ['CredentialsProviderError'],
    problem: 'cannot be asked without credentials',
    next: signIn,
  },
  {
    names: [
      'UnrecognizedClientException',
      'InvalidSignatureException',
      'SignatureDoesNotMatch',
      'InvalidClientTokenId',
      'IncompleteSignature',
      'MissingAuthenticationToken',
      'AuthFailure',
    ],
    problem: 'does not know these credentials',
    next: `${signIn} Whose they are says: aws sts get-caller-identity.`,
  },
  {
    names: ['ExpiredToken', 'ExpiredTokenException', 'RequestExpired'],
    problem: 'takes these credentials no longer: they have expired',
    next: signIn,
  },
  {
    names: ['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation', 'AccessDeniedFault'],
    problem: 'knows you, and does not let you do this',
    next: 'Take the role that operates this environment; what is missing is named above.',
  },
  {
    names: ['ResourceNotFoundException', 'StateMachineDoesNotExist', 'NoSuchBucket'],
    problem: 'has no such installation',
    next: 'Give the environment that is deployed there (--environment), and see that it is its account: aws sts get-caller-identity.',
  },
];

const localNext =
  'AWS_ENDPOINT_URL points there: start `npm run cloud` and paste what it prints, or unset AWS_ENDPOINT_URL to ask AWS.';

/** `endpoint`: AWS_ENDPOINT_URL. Undefined where the error is none of the cloud's. */
export function troubleOf(error: unknown, endpoint: string | undefined): Trouble | undefined {
  if (!(error instanceof Error) || error instanceof UsageError) return undefined;
  if (endpoint !== undefined && !URL.canParse(endpoint))
    return { isSilence: false, problem: `AWS_ENDPOINT_URL=${endpoint} is no URL.`, next: 'Unset it to ask AWS.' };
  const all = chainOf(error);
  const kind = kinds.find(({ names }) => all.some((each) => names.includes(nameOf(each))));
  if (!kind) return undefined;
  const detail = all
    .map(({ message }) => message.replace(/^@smithy\S+ - \[\w+\] /, ''))
    .find((message) => message !== '');
  return {
    isSilence: kind === kinds[0],
    problem: `${endpoint ?? 'AWS'} ${kind.problem}${detail ? ` (${detail})` : ''}.`,
    next: endpoint === undefined || kind !== kinds[0] ? kind.next : localNext,
  };
}

const nameOf = (error: Error & { readonly code?: unknown }) =>
  typeof error.code === 'string' ? error.code : error.name;

/** An error, what caused it, and what an AggregateError holds: Node tries every address of a host. */
function chainOf(error: unknown): Error[] {
  if (!(error instanceof Error)) return [];
  const inner = error instanceof AggregateError ? error.errors : [];
  return [error, ...inner.flatMap(chainOf), ...chainOf(error.cause)];
}
