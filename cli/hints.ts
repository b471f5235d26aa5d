/** What a person can paste. */
let place = '';

/** Where the commands of this run work, so that what they tell people to type works there too. */
export function hintsAreFor(environment: string, region: string | undefined): void {
  place =
    (environment === 'production' ? '' : ` --environment ${environment}`) +
    (region === undefined ? '' : ` --region ${region}`);
}

/** `npm run dr -- watch INCIDENT`, with the environment and the Region that were given. */
export const dr = (command: string): string => `npm run dr -- ${command}${place}`;
