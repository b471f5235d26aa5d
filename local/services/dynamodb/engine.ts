/** dynalite without its server: its validations, actions and in-memory store called directly, so that nothing but this service reaches it. */
import { createRequire } from 'node:module';
import { AwsError, type Home } from '../../kernel.ts';
import { remember } from './expressions.ts';

interface Store {
  readonly tableDb: { awsAccountId: string; awsRegion: string };
}
interface Failure extends Error {
  readonly body?: { readonly __type: string; readonly message?: string; readonly Message?: string };
}
interface Validations {
  checkTypes(data: object, types: object): object;
  checkValidations(data: object, types: object, custom: unknown, store: Store): void;
}
type Action = (store: Store, data: object, done: (failure: Failure | null, output?: object) => void) => void;

// dynalite is CommonJS without types, and its parts have no exports of their own.
const require = createRequire(import.meta.url);
const database = require('dynalite/db') as { create(options: Record<string, number>): Store };
const validations = require('dynalite/validations') as Validations;
for (const name of ['conditionParser', 'updateParser', 'projectionParser']) remember(require(`dynalite/db/${name}`));

/** What keeps the items of one Region. */
export interface ItemEngine {
  /** Runs a DynamoDB operation. Throws AwsError. */
  run<O extends object>(operation: string, input: object): Promise<O>;
}

export class Engine implements ItemEngine {
  readonly #store: Store;
  constructor(home: Home) {
    this.#store = database.create({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
    Object.assign(this.#store.tableDb, { awsAccountId: home.account, awsRegion: home.region });
  }

  /** Runs a DynamoDB operation; binary values are byte arrays on both sides. Throws AwsError. */
  run<O extends object>(operation: string, input: object): Promise<O> {
    const name = operation[0]?.toLowerCase() + operation.slice(1);
    const { types, custom } = require(`dynalite/validations/${name}`) as { types: object; custom: unknown };
    const act = require(`dynalite/actions/${name}`) as Action;
    return new Promise<O>((resolve, reject) => {
      try {
        const data = validations.checkTypes(toJson(input) as object, types);
        validations.checkValidations(data, types, custom, this.#store);
        act(this.#store, data, (failure, output) =>
          failure ? reject(toAwsError(failure)) : resolve(fromJson(output ?? {}) as O),
        );
      } catch (failure) {
        reject(toAwsError(failure as Failure));
      }
    });
  }
}

function toAwsError(failure: Failure): Error {
  const { body } = failure;
  return body ? new AwsError(body.__type.split('#')[1] ?? body.__type, body.message ?? body.Message ?? '') : failure;
}

function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Set) return [...value].map(toJson);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (each === undefined ? [] : [[key, toJson(each)]])),
  );
}

/** Only an attribute value has a string under `B` or strings under `BS`: below any other name stands an object. */
function fromJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => {
      if (key === 'B' && typeof each === 'string') return [key, Buffer.from(each, 'base64')];
      if (key === 'BS' && Array.isArray(each)) return [key, each.map((one: string) => Buffer.from(one, 'base64'))];
      return [key, fromJson(each)];
    }),
  );
}
