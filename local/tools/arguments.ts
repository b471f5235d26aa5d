/** What the stand-ins share: they accept exactly the arguments that the buildspecs use, say what they are, and end like the real tools. */

/** A problem as the real tool would report it: to standard error, with its exit code. */
export class ToolError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

export interface Given {
  /** Arguments that are no options, in order. */
  readonly words: readonly string[];
  readonly flags: ReadonlySet<string>;
  /** Every value of an option; most are given once. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

export interface Accepted {
  readonly words: number;
  readonly flags?: readonly string[];
  /** Options with a value: `-out=FILE` or `--name NAME`. */
  readonly options?: readonly string[];
}

/** Throws ToolError naming the first argument that is not accepted, or the option that is missing its value. */
export function accept(tool: string, argv: readonly string[], { words, flags = [], options = [] }: Accepted): Given {
  const found = { words: [] as string[], flags: new Set<string>(), values: new Map<string, string[]>() };
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    const [name = '', ...value] = argument.split('=');
    if (flags.includes(argument)) found.flags.add(argument);
    else if (options.includes(name)) {
      const text = argument.includes('=') ? value.join('=') : rest.shift();
      if (text === undefined) throw refusal(tool, `${name} without a value`);
      found.values.set(name, [...(found.values.get(name) ?? []), text]);
    } else if (!argument.startsWith('-') && found.words.length < words) found.words.push(argument);
    else throw refusal(tool, argument);
  }
  if (found.words.length < words) throw refusal(tool, 'nothing where a word is expected');
  return found;
}

export function optionOf({ values }: Given, tool: string, option: string): string {
  const value = values.get(option)?.[0];
  if (value === undefined) throw refusal(tool, `no ${option}`);
  return value;
}

export const refusal = (tool: string, what: string) =>
  new ToolError(`STAND-IN ${tool}: ${what} is not among the arguments that this stand-in accepts`, 64);

/** Runs a stand-in: says first that it is one, so that no log can be mistaken for the real tool's. */
export async function runTool(tool: string, run: (argv: readonly string[]) => Promise<number>): Promise<never> {
  process.stderr.write(`STAND-IN for ${tool}: compares a JSON desired state with the embedded cloud\n`);
  try {
    process.exit(await run(process.argv.slice(2)));
  } catch (error) {
    process.stderr.write(
      `Error: ${error instanceof Error ? `${error.name === 'Error' ? '' : `${error.name}: `}${error.message}` : String(error)}\n`,
    );
    process.exit(error instanceof ToolError ? error.exitCode : 1);
  }
}
