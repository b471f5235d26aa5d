import { lookAtSubscriptions } from '../adapters/readiness/subscriptions.ts';
import { makeLook } from '../look.ts';

export const handler = makeLook('subscriptions', lookAtSubscriptions);
