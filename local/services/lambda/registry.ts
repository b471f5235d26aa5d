/** The functions of one Region with all that hangs on them: versions, aliases, permissions, URLs, settings of asynchronous invocation. */
import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import type { LambdaFunction } from '../../functions/function.ts';
import type { Home, PolicyDocument } from '../../kernel.ts';
import { type FunctionAddress, functionArn, notFound, parseFunctionName } from './names.ts';

export interface EventInvokeConfig {
  readonly maximumEventAgeSeconds: number;
  readonly maximumRetryAttempts: number;
  /** ARNs of a queue, topic, function or event bus. */
  readonly onSuccess?: string;
  readonly onFailure?: string;
}
export const eventInvokeDefaults: EventInvokeConfig = { maximumEventAgeSeconds: 21_600, maximumRetryAttempts: 2 };

export interface FunctionUrl {
  readonly id: string;
  readonly url: string;
  readonly address: FunctionAddress;
  readonly createdAt: string;
}

export interface FunctionRecord {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  /** What GetFunctionConfiguration answers of `$LATEST`. */
  readonly configuration: FunctionConfiguration;
  readonly latest: LambdaFunction;
  readonly deadLetterArn?: string;
  readonly versions: Map<string, LambdaFunction>;
  /** Alias to version. */
  readonly aliases: Map<string, string>;
  /** By qualifier; `''` for the function itself. */
  readonly permissions: Map<string, PolicyDocument>;
  readonly eventInvokeConfigs: Map<string, EventInvokeConfig>;
  readonly urls: Map<string, FunctionUrl>;
  /** Epoch milliseconds of its last invocation, or of its creation. */
  usedAt: number;
  /** Epoch milliseconds from which on it is awake again. */
  awakeAt: number;
}

export class Registry {
  readonly #home: Home;
  readonly functions = new Map<string, FunctionRecord>();

  constructor(home: Home) {
    this.#home = home;
  }

  /** Throws ResourceNotFoundException. */
  find(
    functionName: string | undefined,
    qualifier?: string,
  ): { record: FunctionRecord; address: FunctionAddress; run: LambdaFunction } {
    const address = parseFunctionName(this.#home, functionName, qualifier);
    const record = this.functions.get(address.name);
    const run = record && this.#resolve(record, address.qualifier);
    if (record === undefined || run === undefined) throw notFound(functionArn(this.#home, address));
    return { record, address, run };
  }

  policy({ name, qualifier }: FunctionAddress): PolicyDocument | undefined {
    return this.functions.get(name)?.permissions.get(qualifier ?? '');
  }

  urlById(id: string): FunctionUrl | undefined {
    return [...this.functions.values()].flatMap(({ urls }) => [...urls.values()]).find((url) => url.id === id);
  }

  /** Every runnable version. */
  all(): readonly LambdaFunction[] {
    return [...this.functions.values()].flatMap(({ latest, versions }) => [latest, ...versions.values()]);
  }

  #resolve({ latest, versions, aliases }: FunctionRecord, qualifier: string | undefined): LambdaFunction | undefined {
    if (qualifier === undefined || qualifier === '$LATEST') return latest;
    return versions.get(aliases.get(qualifier) ?? qualifier);
  }
}
