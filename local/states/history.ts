/** The history of one execution: events in the API model's shape, chained by previousEventId, at most 25,000. */
import type { HistoryEvent, HistoryEventType } from '@aws-sdk/client-sfn';
import { Interruption } from './errors.ts';

/** Step Functions' quota for one execution; the last event is the failure that says so. */
export const eventLimit = 25_000;

/** Where a sequence of states stands in the history: branches and iterations each have one. */
export interface Cursor {
  previousEventId: number;
}

export type Details = Partial<Omit<HistoryEvent, 'id' | 'type' | 'timestamp' | 'previousEventId'>>;
type Recorded = HistoryEvent & { readonly id: number; readonly type: HistoryEventType; readonly timestamp: Date };

export class History {
  readonly events: Recorded[] = [];
  readonly #now: () => number;
  readonly #interrupt: (reason: Interruption) => void;
  readonly #listener: (event: HistoryEvent) => void;

  constructor(now: () => number, interrupt: (reason: Interruption) => void, listener: (event: HistoryEvent) => void) {
    this.#now = now;
    this.#interrupt = interrupt;
    this.#listener = listener;
  }

  /** Records an event after the cursor's last one and moves the cursor. A full history fails the execution instead. */
  add(cursor: Cursor, type: HistoryEventType, details?: Details): number {
    if (this.events.length >= eventLimit - 1) {
      this.#interrupt(
        new Interruption(
          'FAILED',
          'States.Runtime',
          `The execution reached the maximum number of history events (${eventLimit}).`,
        ),
      );
      return cursor.previousEventId;
    }
    return this.#record(cursor, type, details);
  }

  /** Records how the execution ended, for which there is always room. */
  close(cursor: Cursor, type: HistoryEventType, details: Details): void {
    this.#record(cursor, type, details);
  }

  #record(cursor: Cursor, type: HistoryEventType, details?: Details): number {
    const id = this.events.length + 1;
    const event: Recorded = {
      timestamp: new Date(this.#now()),
      type,
      id,
      previousEventId: cursor.previousEventId,
      ...details,
    };
    this.events.push(event);
    cursor.previousEventId = id;
    this.#listener(event);
    return id;
  }
}
