/** What a function is, once its template's properties are resolved. */
import type { LogLevel } from './protocol.ts';

export interface FunctionDefinition {
  readonly name: string;
  readonly arn: string;
  /** `$LATEST` or a number. */
  readonly version: string;
  readonly runtime: string;
  readonly handler: string;
  /** The directory of the copied asset. */
  readonly taskRoot: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly roleArn: string;
  readonly logGroup: string;
  readonly logFormat: 'Text' | 'JSON';
  /** The least level of console output that is kept; undefined keeps all. Only with JSON logs. */
  readonly applicationLogLevel?: LogLevel;
  /** Leaves out the lines around an invocation, as SystemLogLevel WARN does. */
  readonly quiet: boolean;
  readonly tracing: 'Active' | 'PassThrough';
  /** How many invocations may run at once; undefined: the account's 1000 are shared. */
  readonly reservedConcurrency?: number;
}
