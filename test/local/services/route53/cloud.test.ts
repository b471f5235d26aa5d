/** Route 53 as clients meet it: the SDK over HTTP, names over UDP, endpoints over sockets. */
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import * as sdk from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateAuthority } from '../../../../local/certificates.ts';
import { scaledClock } from '../../../../local/clock.ts';
import { type Cloud, startCloud } from '../../../../local/cloud.ts';
import { askByUdp, textOf } from '../../dns/client.ts';
import { record } from './home.ts';

let cloud: Cloud;
let client: sdk.Route53Client;
let status = 200;
const endpoint = createServer((request, response) => {
  response.writeHead(request.headers.host?.startsWith('east.stocker.example') ? status : 421).end();
});

beforeAll(async () => {
  cloud = await startCloud({ assemblies: [], clock: scaledClock(120) });
  const credentials = { accessKeyId: 'AKIAOPERATOR', secretAccessKey: 'any' };
  client = new sdk.Route53Client({ endpoint: cloud.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  endpoint.close();
  await cloud.stop();
});

const port = () => Number(cloud.nameServer.split(':')[1]);
const ask = async (name: string) => textOf(await askByUdp(port(), name));

describe('Route 53', () => {
  let zone = '';

  it('brings a record from the API to the wire', async () => {
    const made = await client.send(new sdk.CreateHostedZoneCommand({ Name: 'stocker.example', CallerReference: '1' }));
    zone = made.HostedZone?.Id ?? '';
    expect(zone).toMatch(/^\/hostedzone\/Z[A-Z0-9]{20}$/);
    const { ChangeInfo } = await client.send(
      new sdk.ChangeResourceRecordSetsCommand({
        HostedZoneId: zone,
        ChangeBatch: { Changes: [record('CREATE', 'www.stocker.example', '192.0.2.9')] },
      }),
    );
    expect(ChangeInfo).toMatchObject({ Status: 'PENDING', SubmittedAt: expect.any(Date) });
    expect(await ask('www.stocker.example')).toEqual([]);
    const limits = { client, minDelay: 0.1, maxDelay: 0.1, maxWaitTime: 10 } as const;
    await sdk.waitUntilResourceRecordSetsChanged(limits, { Id: ChangeInfo?.Id });
    expect(await ask('www.stocker.example')).toEqual(['192.0.2.9']);
  });

  it('tells a client every reason for which it refuses a batch', async () => {
    const Changes = [record('DELETE', 'none.stocker.example', '192.0.2.9')];
    const refused = client.send(
      new sdk.ChangeResourceRecordSetsCommand({ HostedZoneId: zone, ChangeBatch: { Changes } }),
    );
    await expect(refused).rejects.toBeInstanceOf(sdk.InvalidChangeBatch);
    await expect(refused).rejects.toMatchObject({ messages: [expect.stringMatching(/it was not found/)] });
  });

  it('moves what it answers when an endpoint fails, and back when it returns', async () => {
    const HealthCheckConfig: sdk.HealthCheckConfig = {
      ...{ Type: 'HTTP', IPAddress: '127.0.0.1', Port: (endpoint.address() as AddressInfo).port },
      ...{ FullyQualifiedDomainName: 'east.stocker.example', ResourcePath: '/health' },
      ...{ RequestInterval: 10, FailureThreshold: 2 },
    };
    const { HealthCheck } = await client.send(
      new sdk.CreateHealthCheckCommand({ CallerReference: '1', HealthCheckConfig }),
    );
    const role = (Failover: 'PRIMARY' | 'SECONDARY', value: string, HealthCheckId?: string) =>
      record('CREATE', 'api.stocker.example', value, { SetIdentifier: Failover, Failover, HealthCheckId });
    const Changes = [role('PRIMARY', '192.0.2.1', HealthCheck?.Id), role('SECONDARY', '192.0.2.2')];
    await client.send(new sdk.ChangeResourceRecordSetsCommand({ HostedZoneId: zone, ChangeBatch: { Changes } }));
    await expect.poll(() => ask('api.stocker.example')).toEqual(['192.0.2.1']);
    const { HealthCheckObservations } = await client.send(
      new sdk.GetHealthCheckStatusCommand({ HealthCheckId: HealthCheck?.Id }),
    );
    expect(HealthCheckObservations?.[0]?.StatusReport?.Status).toMatch(/^Success: HTTP Status Code 200/);
    status = 503;
    await expect.poll(() => ask('api.stocker.example')).toEqual(['192.0.2.2']);
    status = 200;
    await expect.poll(() => ask('api.stocker.example')).toEqual(['192.0.2.1']);
  });

  it('asks over TLS by the name that it is told, whoever signed the certificate', async () => {
    const { key, certificate } = await (await createCertificateAuthority()).issue(['secure.stocker.example'], []);
    const asked: (string | undefined)[] = [];
    const secure = createSecureServer({ key, cert: certificate }, (request, response) => {
      asked.push((request.socket as TLSSocket & { servername?: string }).servername);
      response.writeHead(200).end();
    });
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    const HealthCheckConfig: sdk.HealthCheckConfig = {
      ...{ Type: 'HTTPS', IPAddress: '127.0.0.1', Port: (secure.address() as AddressInfo).port },
      ...{ FullyQualifiedDomainName: 'secure.stocker.example', RequestInterval: 10 },
    };
    const { HealthCheck } = await client.send(
      new sdk.CreateHealthCheckCommand({ CallerReference: 'secure', HealthCheckConfig }),
    );
    const statusOf = async () => {
      const asking = new sdk.GetHealthCheckStatusCommand({ HealthCheckId: HealthCheck?.Id });
      return (await client.send(asking)).HealthCheckObservations?.[0]?.StatusReport?.Status;
    };
    await expect.poll(statusOf).toMatch(/^Success: HTTP Status Code 200/);
    expect(asked[0]).toBe('secure.stocker.example');
    await client.send(new sdk.DeleteHealthCheckCommand({ HealthCheckId: HealthCheck?.Id }));
    secure.close();
  });

  it('is called from any Region, at its one endpoint', async () => {
    const credentials = { accessKeyId: 'AKIAOPERATOR', secretAccessKey: 'any' };
    const west = new sdk.Route53Client({ endpoint: cloud.endpoint, region: 'us-west-2', credentials });
    const { HostedZones } = await west.send(new sdk.ListHostedZonesCommand({}));
    expect(HostedZones?.map(({ Id }) => Id)).toEqual([zone]);
  });

  it('goes on answering and checking while its API is gone with us-east-1', async () => {
    await cloud.goDark('us-east-1');
    const list = () => client.send(new sdk.ListHostedZonesCommand({}));
    await expect(list()).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect(cloud.call('route-53', 'ListHostedZones', {}, 'us-west-2')).rejects.toMatchObject({
      message: 'the Region us-east-1 is dark',
    });
    expect(await ask('api.stocker.example')).toEqual(['192.0.2.1']);
    status = 503;
    await expect.poll(() => ask('api.stocker.example')).toEqual(['192.0.2.2']);
    await cloud.comeBack('us-east-1');
    await expect(list()).resolves.toBeDefined();
  });
});
