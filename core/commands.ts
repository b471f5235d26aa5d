/** Commands of the operator in what people are told: they work as they are pasted. */

/** `npm run dr -- retry ID`; the command line takes production where no environment is named. */
export const dr = (command: string, environment: string): string =>
  `npm run dr -- ${command}${environment === 'production' ? '' : ` --environment ${environment}`}`;

/** The advice of an error, which is written for any incident, as it reads for this one. */
export const forIncident = (next: string, { id, environment }: { id: string; environment: string }): string =>
  next.replace(/npm run dr -- (\w+) <incident>/g, (_, command) => dr(`${command} ${id}`, environment));
