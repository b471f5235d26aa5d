/** What a given server answers: asked itself, past the resolver of the machine and its cache. */
import { Resolver } from 'node:dns/promises';
import type { Names } from '../../../core/region/ports.ts';

const none = new Set(['ENODATA', 'ENOTFOUND']);

export const names: Names = {
  async leadsTo(server, name) {
    const resolver = new Resolver({ timeout: 2_000, tries: 2 });
    resolver.setServers([server]);
    const unlessNone = <T>(asking: Promise<T[]>) =>
      asking.catch((error: NodeJS.ErrnoException): T[] => {
        if (none.has(error.code ?? '')) return [];
        throw error;
      });
    const [addresses, services] = await Promise.all([
      unlessNone(resolver.resolve4(name)),
      unlessNone(resolver.resolveSrv(name)),
    ]);
    // Where a name has services, they say where it leads: an address may be that of every Region.
    const found = services.length > 0 ? services.map((each) => each.name) : addresses;
    return [...new Set(found)].sort();
  },
};
