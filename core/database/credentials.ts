/** SetCredentials: the roles of a restored copy get the passwords of today; it came with those of its restore point. */
import type { ApplicationRole, Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { Candidate } from './contracts.ts';
import { RoleUnusable } from './errors.ts';
import type { Credentials, Secrets, Session, Sessions } from './ports.ts';
import { scramVerifier } from './scram.ts';
import { addressOf, messageOf, quoteIdentifier, quoteLiteral, sqlState, withSession } from './sql.ts';

export type Login = Credentials;

/** The credentials of a role; a secret of another user would alter and prove the wrong one. */
export async function loginOf(role: ApplicationRole, secrets: Secrets): Promise<Login> {
  const login = await secrets.credentials(role.secretName);
  if (login.username !== role.name)
    throw RoleUnusable(
      `Secret ${role.secretName} holds ${login.username}; the settings say that it is ${role.name}'s.`,
    );
  return login;
}

export const applicationLogins = (settings: Settings, secrets: Secrets): Promise<Login[]> =>
  Promise.all(settings.database.applicationRoles.map((role) => loginOf(role, secrets)));

/** PostgreSQL lets the second of two who alter a role at once fail, as an internal error without a code of its own. */
export const isAlteredByOthers = (error: unknown): boolean =>
  sqlState(error) === 'XX000' && /concurrently updated/.test(messageOf(error));

/** Throws RoleUnusable where the database has no such role, or the session's user may not alter it. */
export async function alterRole(session: Session, role: string, change: string): Promise<void> {
  const alter = () => session.query(`alter role ${quoteIdentifier(role)} ${change}`);
  // Once more: with strict fencing the guard alters it every minute.
  const again = (cause: unknown) => (isAlteredByOthers(cause) ? alter() : Promise.reject(cause));
  await alter()
    .catch(again)
    .catch((cause: unknown) => {
      if (sqlState(cause) === '42704') throw RoleUnusable(`The database has no role ${role}.`, { cause });
      // Since PostgreSQL 16 CREATEROLE alone alters no role that somebody else made.
      if (sqlState(cause) === '42501')
        throw RoleUnusable(`The master user may not alter ${role}: grant ${role} to it with admin option.`, { cause });
      throw cause;
    });
}

/** `ALTER ROLE` with the current password as a verifier: whatever is logged shows no secret. */
export const passwordClause = ({ password }: Login): string => `password ${quoteLiteral(scramVerifier(password))}`;

export const setPassword = (session: Session, login: Login): Promise<void> =>
  alterRole(session, login.username, passwordClause(login));

export interface CredentialsContext {
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
}

export async function setCredentials(
  { candidate }: { candidate: Candidate },
  { settings, secrets, sessions }: CredentialsContext,
): Promise<StepResult<Record<string, never>>> {
  const { masterSecretName, heartbeatRole, sentinelRole } = settings.database;
  const [master, application, ...own] = await Promise.all([
    secrets.credentials(masterSecretName),
    applicationLogins(settings, secrets),
    loginOf(heartbeatRole, secrets),
    loginOf(sentinelRole, secrets),
  ]);
  const logins = [...application, ...own];
  await withSession(sessions, addressOf(candidate), master, async (session) => {
    for (const login of logins) await setPassword(session, login);
  });
  const roles = logins.map((login) => login.username);
  return { output: {}, summary: `current passwords set for ${roles.join(', ')}`, facts: { roles } };
}
