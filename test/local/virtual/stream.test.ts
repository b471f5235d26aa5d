import { expect, it } from 'vitest';
import { End } from '../../../local/virtual/stream.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('hears in order what the other end writes, then its end, and then nothing and nobody any more', async () => {
  const [client, server] = [new End(), new End()];
  server.join(client);
  const heard: string[] = [];
  server.on('data', (bytes: Buffer) => heard.push(bytes.toString()));
  for (const event of ['end', 'close']) server.on(event, () => heard.push(event));
  client.on('close', () => heard.push('client closed'));
  client.write('a');
  client.write('b');
  client.end();
  await turn();
  expect(heard).toEqual(['ab', 'end', 'close', 'client closed']);
  for (const end of [client, server]) expect(end.eventNames()).toEqual([]);
  server.write('late');
  await turn();
  expect(heard).toHaveLength(4);
});
