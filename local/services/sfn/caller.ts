/** On whose behalf an integration calls. */
import type { Home, Principal } from '../../kernel.ts';

/** What the integrations need of the service that runs them. */
export interface Caller {
  readonly home: Home;
  readonly role: Principal;
  /** Resolves when the execution has ended. */
  completion(executionArn: string): Promise<void>;
}
