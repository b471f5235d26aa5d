/** The operator's command line: which command, and what its end means. */
import { type ExitCode, exitCodes, UsageError } from './exit-codes.ts';
import { onInterruptionSay, sayOnInterruption } from './interruption.ts';
import {
  parseApproveOptions,
  parseCancelOptions,
  parseDebtOptions,
  parseDeclineOptions,
  parseFailbackOptions,
  parseFailoverOptions,
  parseReadinessOptions,
  parseRetryOptions,
  parseStartOptions,
  parseStatusOptions,
  parseWatchOptions,
} from './operator-options.ts';
import { parseCloudOptions, parseDrillOptions } from './options.ts';
import { troubleOf } from './trouble.ts';

const help = `STOCKER Pro disaster recovery

  npm run drill [-- options]   the monthly database restore test, on the embedded cloud
    --scenario NAME            database (default), cluster, region or configuration
    --environment NAME         production (default) or staging
    --rows N                   stock movements of the workload (default 50000)
    --output DIRECTORY         where report.html and report.json go
                               (default reports/<incident>)
    --json                     the report as JSON on standard output, nothing else

    --mode recovery            destroy production and recover it, instead of a copy beside it
    --disaster NAME            how: drop-table, bad-update, bad-migration, page-corruption,
                               index-corruption, instance-lost, nodes-lost, cluster-lost,
                               bad-deploy, record-deleted, secret-deleted, workload-deleted
                               or region-lost
    --scenario cluster         the quarterly recovery test: rebuild a cluster beside production
                               instead, and tear it down
    --scenario configuration   lose a record, a secret and a deployment beside production
                               instead, restore them, and tear them down
    --scenario region          fail over to the DR Region instead, isolated; with --mode
                               recovery and --disaster region-lost or --style graceful
                               production itself moves, and comes home
    --yes                      approve what the recovery asks; without it, you are asked

  npm run cloud [-- options]   serve the embedded cloud until Ctrl-C
    --environment, --rows      as above
    --port N                   listen here instead of on any free port
    --clock-factor N           divide the waits that AWS owns by this (default 1)

  npm run dr -- COMMAND        on AWS with your credentials, or where AWS_ENDPOINT_URL points
    status                     production, lease, incident, last drills, alarms
    backups                    every backup of every kind: age, Region, proof
    readiness [--run]          whether a recovery would work: check, verdict, reason;
                               --run looks now and waits
    watch [INCIDENT]           the timeline, live, until the incident ends
    approve INCIDENT --reason TEXT [--restore-to POINT]
    decline INCIDENT --reason TEXT
    cancel INCIDENT --reason TEXT [--yes]
    retry INCIDENT [--reason TEXT] [--restore-to POINT] [--waive CHECKS]
    start --reason TEXT [--scenario database|cluster|configuration]
          [--mode recovery --confirm ENVIRONMENT] [--restore-to POINT] [--tables LIST]
          [--request-id ID]
    failover --reason TEXT --confirm ENVIRONMENT [--style graceful|ungraceful] [--waive CHECKS]
          [--request-id ID], or --mode drill --reason TEXT: production to the DR Region
    failback --reason TEXT --confirm ENVIRONMENT [--request-id ID]
    debt [close]               what Terraform still believes after a cut-over; close imports
                               what is production, and only an empty plan closes it
    deploy                     cdk deploy of both Regions; refused while the latch holds
                               traffic on the DR Region, or a recovery runs
    --environment, --region    of the installation; by default production, and the Region
                               of its active database
    POINT is latest, a UTC time such as 2026-11-22T13:05:00Z, snapshot:IDENTIFIER
    or dump:NAME, one of the plan's nightly dumps.
    LIST is schema.table,schema.table: only these are repaired, in production as it is.

Exit codes
    0    everything passed
    1    the recovery failed, was declined or refused, a check did not pass or
         an objective was missed; something is not ready, or unknown
    2    bad usage, or no such incident or restore point; nothing was started
    3    the cloud could not be made or reached, or the synth or workload made
    130  interrupted; a recovery that is being watched goes on

DR_DEBUG=1 shows where an unexpected error came from.
`;

type Command = (argv: readonly string[]) => Promise<ExitCode>;

/** Each command loads only what it needs: a person in a hurry waits for no embedded cloud. */
const here: Readonly<Record<string, Command>> = {
  drill: async (argv) => {
    const options = parseDrillOptions(argv);
    if (options.scenario === 'region') return (await import('./commands/region-drill.ts')).regionDrill(options);
    if (options.scenario === 'cluster' && options.disaster === undefined)
      return (await import('./commands/cluster-drill.ts')).clusterDrill(options);
    if (options.scenario === 'configuration' && options.disaster === undefined)
      return (await import('./commands/configuration-drill.ts')).configurationDrill(options);
    if (options.disaster === undefined) return (await import('./commands/drill.ts')).drill(options);
    const { recoveryDrill } = await import('./commands/recovery-drill.ts');
    return recoveryDrill({ ...options, disaster: options.disaster });
  },
  cloud: async (argv) => (await import('./commands/cloud.ts')).cloud(parseCloudOptions(argv)),
};
/** On an installation that is somewhere else: what they start goes on without them. */
const there: Readonly<Record<string, Command>> = {
  status: async (argv) => (await import('./commands/status.ts')).status(parseStatusOptions(argv)),
  backups: async (argv) => (await import('./commands/backups.ts')).backups(parseStatusOptions(argv)),
  readiness: async (argv) => (await import('./commands/readiness.ts')).readiness(parseReadinessOptions(argv)),
  watch: async (argv) => (await import('./commands/watch.ts')).watch(parseWatchOptions(argv)),
  approve: async (argv) => (await import('./commands/approve.ts')).decideOn('approve', parseApproveOptions(argv)),
  decline: async (argv) => (await import('./commands/approve.ts')).decideOn('decline', parseDeclineOptions(argv)),
  cancel: async (argv) => (await import('./commands/cancel.ts')).cancel(parseCancelOptions(argv)),
  retry: async (argv) => (await import('./commands/start.ts')).retry(parseRetryOptions(argv)),
  failover: async (argv) => (await import('./commands/start.ts')).failover(parseFailoverOptions(argv)),
  failback: async (argv) => (await import('./commands/start.ts')).failback(parseFailbackOptions(argv)),
  debt: async (argv) => (await import('./commands/debt.ts')).debt(parseDebtOptions(argv)),
  deploy: async (argv) => (await import('./commands/deploy.ts')).deploy(parseStatusOptions(argv)),
  start: async (argv) => (await import('./commands/start.ts')).start(parseStartOptions(argv)),
};
const commands = { ...here, ...there };

/** Runs one command and returns its exit code; says what went wrong and what to do next. */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  const [name, ...rest] = argv;
  if (name === undefined || name === 'help' || argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(help);
    return name === undefined ? exitCodes.usage : exitCodes.passed;
  }
  const isThere = Object.hasOwn(there, name);
  if (isThere) onInterruptionSay('Interrupted. Nothing was stopped by it; see: npm run dr -- status');
  endCleanly();
  try {
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (!command)
      throw new UsageError(`There is no command "${name}". Give one of: ${Object.keys(commands).join(', ')}.`);
    return await command(rest);
  } catch (error) {
    return explainTrouble(isThere ? error : undefined) ?? explain(error);
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
      process.stderr.write(`${sayOnInterruption()}\n`);
      process.exit(exitCodes.interrupted);
    });
  process.on('uncaughtException', (error) => process.exit(explain(error)));
  // A reader that has seen enough (`| head`) closes the pipe.
  process.stdout.on('error', () => process.exit(exitCodes.interrupted));
}

function explainTrouble(error: unknown): ExitCode | undefined {
  const trouble = process.env.DR_DEBUG ? undefined : troubleOf(error, process.env.AWS_ENDPOINT_URL);
  if (!trouble) return undefined;
  process.stderr.write(`${trouble.problem}\nNext: ${trouble.next}\n`);
  return exitCodes.broken;
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
