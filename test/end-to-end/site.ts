/** One installation for all that is shown on it: to make one and to warm its functions takes longer than most of that. */
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import { Rehearsal } from '../support/rehearsal.ts';

export let site: Rehearsal;

/** Makes `site` for the tests of the calling file, and leaves nothing of a test to the next one. */
export function onOneInstallation(environment: 'production' | 'staging'): void {
  beforeAll(async () => {
    // Another file runs beside this one: a minute that is two seconds is not passed without a beat.
    site = await Rehearsal.start({ environment, assembly: inject('assemblies')[environment], clockFactor: 30 });
    await site.settled();
  });
  afterEach(async ({ task }) => {
    site.clearFaults();
    if (task.result?.state === 'fail') await site.stopAll();
  });
  afterAll(() => site?.stop());
}
