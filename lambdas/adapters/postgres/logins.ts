/** What a function needs to log in to a database: the credentials and the sessions. */
import type { Runtime } from '../../handler.ts';
import { secrets } from '../aws/secrets.ts';
import { sessions } from './sessions.ts';

export const logins = (rt: Pick<Runtime, 'here'>) => ({ secrets: secrets(rt), sessions: sessions() });
