import { expect, test } from 'vitest';
import { dr, forIncident } from '../../core/commands.ts';
import { readFailure } from '../../core/errors.ts';
import '../../core/incident/errors.ts';

test.each([
  { environment: 'staging', command: 'npm run dr -- retry recovery-1 --environment staging' },
  { environment: 'production', command: 'npm run dr -- retry recovery-1' },
])('a command for $environment works as it is pasted', ({ environment, command }) => {
  const incident = { id: 'recovery-1', environment };
  expect(dr('retry recovery-1', environment)).toBe(command);
  expect(forIncident('Do `npm run dr -- retry <incident>` then.', incident)).toBe(`Do \`${command}\` then.`);
  const declined = { Error: 'ApprovalDeclined', Cause: 'not today' };
  expect(readFailure(declined, incident).next).toContain(command);
  expect(readFailure(declined).next).toContain('<incident>');
});
