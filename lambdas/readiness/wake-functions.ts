import * as z from 'zod';
import { wakeFunctions } from '../adapters/readiness/wake.ts';
import { makeHandler } from '../handler.ts';

/** Scheduled; the event says nothing. */
export const handler = makeHandler(z.unknown(), (_, rt) => wakeFunctions(rt));
