/** node:dns/promises as a sandbox sees it: a resolver that asks name servers of the virtual network. */
import packet from 'dns-packet';
import { here } from './here.ts';

/** Only what clients use: a resolver told whom to ask, for addresses and for services. */
class Resolver {
  #port = 53;

  setServers([server = '']: readonly string[]): void {
    this.#port = Number(server.split(':').at(-1));
  }

  async resolve4(name: string): Promise<string[]> {
    return (await this.#ask(name, 'A')).map(String);
  }

  async resolveSrv(name: string): Promise<{ name: string; port: number; priority: number; weight: number }[]> {
    const found = (await this.#ask(name, 'SRV')) as packet.SrvData[];
    return found.map(({ target, port, priority = 0, weight = 0 }) => ({ name: target, port, priority, weight }));
  }

  /** Rejects with ENOTFOUND or ENODATA where there is nothing, as Node's does. */
  async #ask(name: string, type: 'A' | 'SRV'): Promise<unknown[]> {
    const around = here().around;
    if (around === undefined) return new Promise(() => {}); // it was cut off
    await around.clock.sleep(around.latency());
    const query = packet.encode({
      type: 'query',
      id: 1,
      flags: packet.RECURSION_DESIRED,
      questions: [{ name, type }],
    });
    const answer = around.network.askName(this.#port, query);
    if (answer === undefined) throw failure('ETIMEOUT', name);
    const { answers = [], flags = 0 } = packet.decode(answer);
    if ((flags & 15) === nameError) throw failure('ENOTFOUND', name);
    const found = answers.filter((each) => each.type === type);
    if (found.length === 0) throw failure('ENODATA', name);
    return found.map((each) => ('data' in each ? each.data : undefined));
  }
}

export const dnsModule = { Resolver };

const nameError = 3;

const failure = (code: string, hostname: string) =>
  Object.assign(new Error(`query ${code} ${hostname}`), { code, hostname });
