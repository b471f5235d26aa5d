/** The operator's command line: which command, and what its end means. */
import { decideOn } from './commands/approve.ts';
import { cancel } from './commands/cancel.ts';
import { cloud } from './commands/cloud.ts';
import { drill } from './commands/drill.ts';
import { recoveryDrill } from './commands/recovery-drill.ts';
import { retry, start } from './commands/start.ts';
import { status } from './commands/status.ts';
import { watch } from './commands/watch.ts';
import { type ExitCode, exitCodes, UsageError } from './exit-codes.ts';
import {
  parseApproveOptions,
  parseCancelOptions,
  parseDeclineOptions,
  parseRetryOptions,
  parseStartOptions,
  parseStatusOptions,
  parseWatchOptions,
} from './operator-options.ts';
import { parseCloudOptions, parseDrillOptions } from './options.ts';

const help = `STOCKER Pro disaster recovery

  npm run drill [-- options]   the monthly database restore test, on the embedded cloud
    --environment NAME         production (default) or staging
    --rows N                   stock movements of the workload (default 50000)
    --output DIRECTORY         where report.html and report.json go
                               (default reports/<incident>)
    --json                     the report as JSON on standard output, nothing else

    --mode recovery            destroy production and recover it, instead of a copy beside it
    --disaster NAME            how: drop-table, bad-update, bad-migration, page-corruption,
                               index-corruption or instance-lost
    --yes                      approve what the recovery asks; without it, you are asked

  npm run cloud [-- options]   serve the embedded cloud until Ctrl-C
    --environment, --rows      as above
    --port N                   listen here instead of on any free port
    --clock-factor N           divide the waits that AWS owns by this (default 1)

  npm run dr -- COMMAND        on AWS with your credentials, or where AWS_ENDPOINT_URL points
    status                     production, lease, incident, last drills, alarms
    watch [INCIDENT]           the timeline, live, until the incident ends
    approve INCIDENT --reason TEXT [--restore-to POINT]
    decline INCIDENT --reason TEXT
    cancel INCIDENT --reason TEXT [--yes]
    retry INCIDENT [--reason TEXT] [--restore-to POINT]
    start --reason TEXT [--mode recovery --confirm ENVIRONMENT] [--restore-to POINT]
          [--request-id ID]
    --environment, --region    of the installation; by default production, and the Region
                               of its active database
    POINT is latest, a UTC time such as 2026-11-22T13:05:00Z, or snapshot:IDENTIFIER.
    Not built yet: restoring from a dump, and repairing single tables.

Exit codes
    0    everything passed
    1    the recovery failed, a check did not pass or an objective was missed
    2    bad usage, nothing was started
    3    the cloud, the synth or the workload could not be made
    130  interrupted; nothing is left behind

DR_DEBUG=1 shows where an unexpected error came from.
`;

const commands: Readonly<Record<string, (argv: readonly string[]) => Promise<ExitCode>>> = {
  drill: (argv) => {
    const options = parseDrillOptions(argv);
    return options.disaster === undefined ? drill(options) : recoveryDrill({ ...options, disaster: options.disaster });
  },
  start: (argv) => start(parseStartOptions(argv)),
  status: (argv) => status(parseStatusOptions(argv)),
  watch: (argv) => watch(parseWatchOptions(argv)),
  approve: (argv) => decideOn('approve', parseApproveOptions(argv)),
  decline: (argv) => decideOn('decline', parseDeclineOptions(argv)),
  cancel: (argv) => cancel(parseCancelOptions(argv)),
  retry: (argv) => retry(parseRetryOptions(argv)),
  cloud: (argv) => cloud(parseCloudOptions(argv)),
};

/** Runs one command and returns its exit code; says what went wrong and what to do next. */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  const [name, ...rest] = argv;
  if (name === undefined || name === 'help' || argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(help);
    return name === undefined ? exitCodes.usage : exitCodes.passed;
  }
  endCleanly();
  try {
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (!command)
      throw new UsageError(`There is no command "${name}". Give one of: ${Object.keys(commands).join(', ')}.`);
    return await command(rest);
  } catch (error) {
    return explain(error);
  }
}

/**
 * Whatever ends the process ends all of it: the cloud's data directory holds every process and file of a run, and goes
 * with the process, synchronously (local/process/data-directory.ts). So an interruption needs no orderly way out.
 */
function endCleanly(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
      process.stderr.write('Interrupted. Nothing was concluded, and nothing is left behind.\n');
      process.exit(exitCodes.interrupted);
    });
  process.on('uncaughtException', (error) => process.exit(explain(error)));
  // A reader that has seen enough (`| head`) closes the pipe.
  process.stdout.on('error', () => process.exit(exitCodes.interrupted));
}

function explain(error: unknown): ExitCode {
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
  if (error instanceof UsageError) {
    process.stderr.write(`${message}\nSee: npm run dr -- --help\n`);
    return exitCodes.usage;
  }
  process.stderr.write(`\n${process.env.DR_DEBUG && stack ? stack : message}\n`);
  process.stderr.write(
    'Nothing was concluded about the recovery. Run it again; if it stays, report this with DR_DEBUG=1 set.\n',
  );
  return exitCodes.broken;
}
