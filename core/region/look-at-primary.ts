/** ProbePrimary: every minute, from the other Region, by ways that do not depend on each other. Unknown is not down. */
import type { Metrics, Parameters, Secrets, Sessions } from '../database/ports.ts';
import { endpointOfActive, probeSource } from '../database/source.ts';
import { type ActiveDatabase, recordVersion } from '../incident/contracts.ts';
import { isBefore } from '../incident/moments.ts';
import type { Clock, ControlStore } from '../incident/ports.ts';
import type { RegionSettings, Settings } from '../settings.ts';
import type { Http } from '../validation/ports.ts';
import { type PrimaryLook, Signal, type SignalResult, type SignalState } from './contracts.ts';
import type { PrimaryLooks } from './ports.ts';

export interface LookContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly http: Http;
  readonly parameters: Pick<Parameters, 'read'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
  /** Asks RDS of another Region for the status of an instance; throws as the SDK does. */
  readonly statusElsewhere: (identifier: string, region: string) => Promise<string | undefined>;
  readonly looks: PrimaryLooks;
  readonly metrics: Metrics;
}

export type Looked = { readonly look: PrimaryLook } | { readonly resting: string };

const httpTimeoutMs = 5_000;

/** Records what it saw and says each signal to CloudWatch: 1 up, 0 down, and nothing where it is unknown. */
export async function lookAtPrimary(context: LookContext): Promise<Looked> {
  const { here, clock, control, looks, metrics } = context;
  const active = await control.readActiveDatabase();
  if (active === undefined) return { resting: 'no active database is registered' };
  if (active.region === here.region) {
    // Its alarms must neither ring nor hang on what they saw last.
    await metrics.put([
      probed,
      ...Signal.options.map((signal) => ({ ...metricOf[signal], value: 1, unit: 'Count' as const })),
    ]);
    return { resting: `production is in ${here.region} itself` };
  }
  const [clients, port, api] = await Promise.all([
    endpoint(context),
    database(active, context),
    controlPlane(active, context),
  ]);
  const { region, epoch } = active;
  const at = clock.now().toISOString();
  const reachedAt = port.state === 'up' ? at : await reachedBefore(active, looks);
  const signals = [clients, reachedAt === undefined ? neverReached(port, active, here) : port, api];
  const reached = reachedAt === undefined ? {} : { reachedAt };
  const look: PrimaryLook = { version: recordVersion, at, region, epoch, ...reached, signals };
  await looks.record(look);
  await metrics.put([
    probed,
    ...signals.flatMap(({ signal, state }) =>
      state === 'unknown' ? [] : [{ ...metricOf[signal], value: state === 'up' ? 1 : 0, unit: 'Count' as const }],
    ),
  ]);
  return { look };
}

/** A probe that is silent is no news of the primary: an alarm of its own rings. */
const probed = { name: 'PrimaryProbed', value: 1, unit: 'Count' } as const;

const metricOf: Readonly<Record<Signal, { readonly name: string }>> = {
  endpoint: { name: 'PrimaryEndpoint' },
  database: { name: 'PrimaryDatabase' },
  'control-plane': { name: 'PrimaryControlPlane' },
};

/** As clients would: any answer below 500 is somebody at work. */
async function endpoint({ settings, parameters, http }: LookContext): Promise<SignalResult> {
  const result = (state: SignalState, detail: string): SignalResult => ({ signal: 'endpoint', state, detail });
  const url = await parameters.read(settings.region.peerUrlParameter).catch(() => undefined);
  if (url === undefined) return result('unknown', `parameter ${settings.region.peerUrlParameter} cannot be read`);
  try {
    const { status } = await http.request({ method: 'GET', url: `${url}/health/ready`, timeoutMs: httpTimeoutMs });
    return result(status < 500 ? 'up' : 'down', `${url}/health/ready answers ${status}`);
  } catch (error) {
    return result('down', `${url} does not answer: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Any answer of the server means that it is there, and may take writes. */
async function database(active: ActiveDatabase, context: LookContext): Promise<SignalResult> {
  const { address, port } = active;
  const said = `${active.identifier} at ${address}:${port}`;
  try {
    const answer = await probeSource(endpointOfActive(active, context.settings), context);
    return answer.kind === 'answers'
      ? { signal: 'database', state: 'up', detail: `${said} answers` }
      : { signal: 'database', state: 'down', detail: `${said}: ${answer.why}` };
  } catch (error) {
    // The secret could not be read: that says nothing of the primary.
    return { signal: 'database', state: 'unknown', detail: error instanceof Error ? error.message : String(error) };
  }
}

/** Undefined: it has not answered since it became production, or nobody has looked since. */
async function reachedBefore({ region, since }: ActiveDatabase, looks: PrimaryLooks): Promise<string | undefined> {
  const [newest] = await looks.newest(1);
  const { reachedAt } = newest ?? {};
  // Not by its epoch: an undo confirms the record under a new one, and the database and the way to it are the same.
  return reachedAt !== undefined && newest?.region === region && !isBefore(reachedAt, since) ? reachedAt : undefined;
}

/**
 * A function in this VPC reaches the other Region's database by peering or a transit gateway, and by a rule of an address
 * range: no rule can name a security group of another Region (VPC Peering Guide, vpc-peering-security-groups). Where that is
 * missing the database only looks lost.
 */
const neverReached = (seen: SignalResult, { since }: ActiveDatabase, here: RegionSettings): SignalResult => ({
  ...seen,
  state: 'unknown',
  detail: `${seen.detail}; ${here.region} has not reached it once since it became production, at ${since}: see to peering, routes, security groups and names (docs/deploy.md)`,
});

/** A refusal is an answer: of RDS, or of IAM. */
async function controlPlane(active: ActiveDatabase, { statusElsewhere }: LookContext): Promise<SignalResult> {
  const signal = 'control-plane';
  try {
    const status = await statusElsewhere(active.identifier, active.region);
    return {
      signal,
      state: 'up',
      detail: `RDS in ${active.region} says ${status ?? 'that there is no such instance'}`,
    };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
    const isRefusal = /AccessDenied|Throttl|NotAuthorized|RequestLimitExceeded/.test(name);
    return { signal, state: isRefusal ? 'unknown' : 'down', detail: `RDS in ${active.region}: ${name}: ${message}` };
  }
}
