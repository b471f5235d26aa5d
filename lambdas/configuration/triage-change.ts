import { ConfigurationSignal, triageChange } from '../../core/configuration/triage-change.ts';
import { protectedKeys } from '../adapters/aws/protected-keys.ts';
import { triagePorts } from '../adapters/triage-ports.ts';
import { makeHandler } from '../handler.ts';

export const handler = makeHandler(ConfigurationSignal, (event, rt) =>
  triageChange(event, { ...triagePorts(rt), keys: protectedKeys(rt) }),
);
