/**
 * A health checker: asks an endpoint at its interval and tells what it found. Route 53 has some fifteen, which do not
 * coordinate, and takes an endpoint as healthy when more than 18 % of them do; here is one.
 */
import type { Home } from '../../kernel.ts';
import { type EndpointConfig, isLoopback } from './health-config.ts';

export interface Observation {
  readonly isSuccess: boolean;
  /** As GetHealthCheckStatus reports it. */
  readonly text: string;
}

/** HTTP: four seconds to connect, then two for the status. TCP: ten seconds to connect (Developer Guide, "How Amazon Route 53 determines whether a health check is healthy"). */
const [connectMs, answerMs, tcpConnectMs] = [4000, 2000, 10_000];

/** `resolve` answers an IPv4 address for a name; undefined where there is none. */
export async function observe(
  home: Home,
  config: EndpointConfig,
  resolve: (host: string) => string | undefined,
  signal: AbortSignal,
): Promise<Observation> {
  const address = config.address ?? resolve(config.host ?? '');
  if (address === undefined) return failure('DNS resolution failed: Rcode NXDomain(3)');
  if (!isLoopback(address)) return failure(`The address ${address} is outside of the embedded cloud.`);
  const resolved = `Resolved IP: ${address}`;
  const isTcp = config.type === 'TCP';
  try {
    const { network } = home.world;
    const connecting = (limit: AbortSignal) => network.reach(address, config.port, limit);
    await within(home, isTcp ? tcpConnectMs : connectMs, signal, connecting);
    if (isTcp) return { isSuccess: true, text: 'Success: TCP connection succeeded.' };
    const status = await within(home, answerMs, signal, (limit) => statusOf(home, config, address, limit));
    const isSuccess = status >= 200 && status < 400;
    return { isSuccess, text: `${isSuccess ? 'Success' : 'Failure'}: HTTP Status Code ${status}. ${resolved}` };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return failure(`${code === 'ECONNREFUSED' ? 'Connection refused' : message}. ${resolved}`);
  }
}

const failure = (why: string): Observation => ({ isSuccess: false, text: `Failure: ${why}` });

async function statusOf(home: Home, config: EndpointConfig, address: string, signal: AbortSignal): Promise<number> {
  const { type, host, port, path = '/', sendsServerName } = config;
  const protocol = type.toLowerCase();
  const url = new URL(path.startsWith('/') ? path : `/${path}`, `${protocol}://${address}:${port}`);
  const isUsual = port === (type === 'HTTPS' ? 443 : 80);
  const headers = {
    host: isUsual ? (host ?? address) : `${host ?? address}:${port}`,
    'user-agent': 'Amazon-Route53-Health-Check-Service (embedded cloud)',
  };
  const options = { headers, signal, ...(sendsServerName && { serverName: host }) };
  return (await home.world.network.request(url, options)).status;
}

/** Aborts the work when its time is over. Limits guard real work: they are not scaled. */
async function within<T>(
  { clock }: Home,
  limitMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const over = new AbortController();
  clock.limit(limitMs, over.signal).then(
    () => late.abort(new Error('The endpoint did not answer in time')),
    () => {}, // it was in time
  );
  const aborted = new Promise<never>((_resolve, reject) => {
    late.signal.addEventListener('abort', () => reject(late.signal.reason), { once: true });
  });
  try {
    return await Promise.race([work(AbortSignal.any([late.signal, signal])), aborted]);
  } finally {
    over.abort();
  }
}
