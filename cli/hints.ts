/** What a person can paste. */
let place = '';

const placeOf = (environment: string, region: string | undefined) =>
  (environment === 'production' ? '' : ` --environment ${environment}`) +
  (region === undefined ? '' : ` --region ${region}`);

/** Where the commands of this run work, so that what they tell people to type works there too. */
export function hintsAreFor(environment: string, region: string | undefined): void {
  place = placeOf(environment, region);
}

/** `npm run dr -- watch INCIDENT`, with the environment and the Region that were given. */
export const dr = (command: string): string => `npm run dr -- ${command}${place}`;

/** The same in a Region of its own. */
export const drIn = (region: string, environment: string, command: string): string =>
  `npm run dr -- ${command}${placeOf(environment, region)}`;
