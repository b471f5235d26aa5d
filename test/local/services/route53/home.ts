/** Route 53 on a clock moved by hand and a network inside the process; alarms are CloudWatch's own, in two Regions. */
import type { RequestListener } from 'node:http';
import type * as sdk from '@aws-sdk/client-route-53';
import type { RecordType } from '../../../../local/dns/data.ts';
import type { Access, Call, Service, ServiceName } from '../../../../local/kernel.ts';
import { createOutages } from '../../../../local/outages.ts';
import { CloudWatch } from '../../../../local/services/cloudwatch/index.ts';
import { type Route53Service, route53 } from '../../../../local/services/route53/index.ts';
import { VirtualNetwork } from '../../../../local/virtual/network.ts';
import { ACCOUNT, type FakeHome, fakeHome, operator, REGION, settle } from '../fake-home.ts';

export const MINUTE = 60_000;
const call: Call = { account: ACCOUNT, region: REGION, principal: operator, requestId: 'r' };

export interface Site {
  readonly home: FakeHome;
  readonly service: Route53Service;
  readonly outages: ReturnType<typeof createOutages>;
  readonly network: VirtualNetwork;
  call<O = Record<string, unknown>>(operation: string, input: object): Promise<O>;
  /** What an operation presents to IAM. */
  access(operation: string, input: object): Promise<readonly Access[]>;
  cloudWatch(region: string, operation: string, input: object): Promise<unknown>;
  /** A zone that name servers have. */
  zone(name?: string): Promise<string>;
  /** Changes records, and lets the time pass that processing takes. */
  change(zone: string, ...changes: sdk.Change[]): Promise<sdk.ChangeInfo>;
  /** What name servers answer, as text. */
  answers(name: string, type?: RecordType): string[];
  check(config: sdk.HealthCheckConfig): Promise<string>;
  /** Serves on a port; the answer ends it. */
  serve(port: number, status: () => number): Promise<() => Promise<void>>;
}

/** `random` decides between weighted records. */
export function openSite(random: () => number = () => 0): Site {
  const base = fakeHome();
  const network = new VirtualNetwork();
  const outages = createOutages();
  const watches = new Map<string, CloudWatch>();
  const home: FakeHome = Object.assign(base, {
    world: { ...base.world, network, random },
    darkness: outages,
    service: (name: ServiceName, region = REGION): Service => {
      if (name !== 'cloudwatch') throw new Error(`Route 53 uses no ${name}`);
      return watches.get(region) ?? absent(region);
    },
  });
  for (const region of home.regions) {
    watches.set(region, new CloudWatch({ ...home, region, clock: outages.clockIn(region, home.clock) }));
  }
  const service = route53.create(home) as Route53Service;
  const run = async (of: Service, operation: string, input: object) => {
    await of.operations[operation]?.access(input, call);
    return of.operations[operation]?.run(input, call);
  };
  const site: Site = {
    ...{ home, service, outages, network },
    call: (operation, input) => run(service, operation, input) as never,
    access: async (operation, input) => (await service.operations[operation]?.access(input, call)) ?? [],
    cloudWatch: (region, operation, input) => run(watches.get(region) ?? absent(region), operation, input),
    async zone(name = 'stocker.example') {
      const input = { Name: name, CallerReference: name };
      const { HostedZone } = await site.call<sdk.CreateHostedZoneResponse>('CreateHostedZone', input);
      await home.clock.advance(MINUTE);
      return HostedZone?.Id ?? '';
    },
    async change(HostedZoneId, ...Changes) {
      const changed = site.call<sdk.ChangeResourceRecordSetsResponse>('ChangeResourceRecordSets', {
        HostedZoneId,
        ChangeBatch: { Changes },
      });
      changed.catch(() => {}); // it may fail while time passes; who awaits it is told
      await home.clock.advance(1000);
      return (await changed).ChangeInfo as sdk.ChangeInfo;
    },
    answers: (name, type = 'A') => service.answer(name, type).answers.map(({ data }) => String(data)),
    async check(HealthCheckConfig) {
      const input = { CallerReference: crypto.randomUUID(), HealthCheckConfig };
      const { HealthCheck } = await site.call<sdk.CreateHealthCheckResponse>('CreateHealthCheck', input);
      await settle();
      return HealthCheck?.Id ?? '';
    },
    async serve(port, status) {
      const listener: RequestListener = (_request, response) => void response.writeHead(status()).end();
      const { close } = await network.listen(listener, { port });
      return close;
    },
  };
  return site;
}

function absent(region: string): never {
  throw new Error(`no CloudWatch in ${region}`);
}

/** A change of a record with these values, or with what else is given. */
export const record = (
  Action: sdk.ChangeAction,
  Name: string,
  values: string | readonly string[],
  more: Partial<sdk.ResourceRecordSet> = {},
): sdk.Change => ({
  Action,
  ResourceRecordSet: {
    Name,
    Type: 'A',
    TTL: 60,
    ResourceRecords: [values].flat().map((Value) => ({ Value })),
    ...more,
  },
});

export const alias = (
  Action: sdk.ChangeAction,
  Name: string,
  zone: string,
  DNSName: string,
  more: Partial<sdk.ResourceRecordSet> = {},
  EvaluateTargetHealth = true,
): sdk.Change => ({
  Action,
  ResourceRecordSet: {
    ...{ Name, Type: 'A', ...more },
    AliasTarget: { HostedZoneId: zone.split('/').at(-1), DNSName, EvaluateTargetHealth },
  },
});

export const codeOf = (work: Promise<unknown>): Promise<{ code: string; message: string }> =>
  work.then(
    () => ({ code: 'none', message: '' }),
    ({ code, message }) => ({ code, message }),
  );
