/** Who presents a bearer token: `k8s-aws-v1.` and a presigned GetCallerIdentity, which is sent to STS with the cluster's name. */
import type { Home } from '../../../kernel.ts';
import { StatusError } from './objects.ts';

const PREFIX = 'k8s-aws-v1.';
const HEADER = 'x-k8s-aws-id';

/** The caller's IAM ARN: the role of an assumed role, else the identity itself. Throws 401. */
export async function authenticate(home: Home, cluster: string, authorization: string | undefined): Promise<string> {
  const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '';
  if (!token.startsWith(PREFIX)) throw unauthorized();
  const url = parse(Buffer.from(token.slice(PREFIX.length), 'base64url').toString());
  const query = url?.searchParams;
  const signed = query?.get('X-Amz-SignedHeaders')?.split(';') ?? [];
  // A token for another cluster, or one that signs for no cluster, must not open this one.
  if (!url || query?.get('Action') !== 'GetCallerIdentity' || !signed.includes(HEADER)) throw unauthorized();
  const answer = await ask(home, url, cluster);
  const arn = /<Arn>([^<]+)<\/Arn>/.exec(answer)?.[1];
  if (!arn) throw unauthorized();
  const [, account, role] = /^arn:aws:sts::(\d+):assumed-role\/([^/]+)\//.exec(arn) ?? [];
  return role ? `arn:aws:iam::${account}:role/${role}` : arn;
}

/** Sends the presigned request to this cloud's STS, whatever regional host it was signed for. */
async function ask(home: Home, url: URL, cluster: string): Promise<string> {
  const headers = { host: url.host, [HEADER]: cluster };
  const asked = home.world.network.request(new URL(url.pathname + url.search, home.endpoint), { headers });
  const { status, body } = await asked.catch(() => ({ status: 0, body: '' }));
  if (status !== 200) throw unauthorized();
  return body.toString();
}

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

const unauthorized = (): StatusError => new StatusError(401, 'Unauthorized', 'Unauthorized');
