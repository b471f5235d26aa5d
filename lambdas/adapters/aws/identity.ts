/** Who acts on a cluster: the function's own role, or of a drill the role that the configuration names in another account. */
import { drillAccountOf, requireDrillAccount } from '../../../core/cluster/drill-account.ts';
import { DrillAccountRefused } from '../../../core/cluster/errors.ts';
import type { Incident } from '../../../core/incident/contracts.ts';
import type { DrillAccount } from '../../../core/settings.ts';
import type { Runtime } from '../../handler.ts';
import { keep } from '../../kept.ts';
import { type Credentials, clientFor } from './clients.ts';

/** Undefined: the function's own role. */
export type Identity = () => Promise<Credentials | undefined>;
export const own: Identity = async () => undefined;

/** The shortest that STS gives, and as long as a function lives at most. */
const sessionSeconds = 900;
/** Credentials that end sooner are not begun with. */
const leftMs = 300_000;

type Session = Pick<Incident, 'id' | 'mode'>;
interface Begun {
  readonly credentials: Credentials;
  readonly endsAt: number;
}
/** By the incident's id. */
const makeSessions = () => new Map<string, Begun>();

/** The session bears the incident's id: CloudTrail of that account tells by which drill. */
export function identityOf({ id, mode }: Session, rt: Pick<Runtime, 'settings' | 'here' | 'clock'>): Identity {
  const account = drillAccountOf(mode, rt.settings);
  return account === undefined ? own : () => becomeDrill(account, id, rt);
}

/** Throws DrillAccountRefused where the role does not admit this function, or is of another account. */
async function becomeDrill(
  account: DrillAccount,
  session: string,
  { here, clock }: Pick<Runtime, 'here' | 'clock'>,
): Promise<Credentials> {
  const sessions = keep(makeSessions);
  const known = sessions.get(session);
  if (known && known.endsAt - clock.now().getTime() > leftMs) return known.credentials;
  // Drills alone need it.
  const { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts');
  const input = { RoleArn: account.roleArn, RoleSessionName: session, DurationSeconds: sessionSeconds };
  const { Credentials: issued } = await clientFor(STSClient, here.region)
    .send(new AssumeRoleCommand(input))
    .catch((cause: Error) => {
      throw cause.name === 'AccessDenied' ? DrillAccountRefused(cause.message, { cause }) : cause;
    });
  const credentials = {
    accessKeyId: issued?.AccessKeyId ?? '',
    secretAccessKey: issued?.SecretAccessKey ?? '',
    sessionToken: issued?.SessionToken ?? '',
  };
  const { Account } = await clientFor(STSClient, here.region, credentials).send(new GetCallerIdentityCommand());
  requireDrillAccount(account, Account);
  sessions.set(session, { credentials, endsAt: issued?.Expiration?.getTime() ?? 0 });
  return credentials;
}
