/** The runtime inside a thread that many functions share. What worker.ts is for one, this is for each of them. */
import { parentPort } from 'node:worker_threads';
import { here, Place, takeThread } from './place.ts';
import type { Answer, Failure, Order } from './protocol.ts';
import { failureOf, fileOf, type Handler, handlerIn, run, unhandled } from './runtime.ts';

const places = new Map<number, { readonly place: Place; handler: Handler | undefined }>();
const answer = (given: Answer) => parentPort?.postMessage(given);

takeThread();
process.on('uncaughtException', (error) => strayed(failureOf(error), error));
process.on('unhandledRejection', (reason) => strayed(unhandled(reason), reason));

/** What nobody caught ends the function that it belongs to; what belongs to none, the thread. */
function strayed(failure: Failure, error: unknown): void {
  const place = here();
  if (place === undefined) throw error;
  place.die({ kind: 'failed', failure, fatal: true });
}

parentPort?.on('message', (order: Order) => {
  const { seat } = order;
  const known = places.get(seat);
  if (order.kind === 'open') open(order);
  else if (order.kind === 'close') {
    known?.place.leave();
    places.delete(seat);
    answer({ seat, report: { kind: 'closed' } });
  } else if (known?.handler !== undefined) {
    const { place, handler } = known;
    void place.within(() => run(handler, order.request, place));
  }
});

function open({ seat, boot, variables }: Extract<Order, { kind: 'open' }>): void {
  const place = new Place(boot, variables, (report) => answer({ seat, report }));
  const entry: { place: Place; handler: Handler | undefined } = { place, handler: undefined };
  places.set(seat, entry);
  try {
    entry.handler = handlerIn(place.load(fileOf(boot)) as Record<string, unknown>, boot);
    place.report({ kind: 'ready' });
  } catch (error) {
    place.report({ kind: 'unready', failure: failureOf(error) });
  }
}
