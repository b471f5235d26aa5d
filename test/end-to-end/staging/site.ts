/** One installation for all that is shown on it: to make one and to warm its functions takes longer than most of that. */
import { afterAll, beforeAll, inject } from 'vitest';
import { Rehearsal } from '../../support/rehearsal.ts';

export let site: Rehearsal;

beforeAll(async () => {
  site = await Rehearsal.start({ environment: 'staging', assembly: inject('assemblies').staging });
  await site.settled();
});
afterAll(() => site?.stop());
