/** What the validation area needs from outside, besides the database's sessions. */

export interface HttpResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** From sending to the last byte. */
  readonly elapsedMilliseconds: number;
}

export interface Http {
  /** Throws where no answer came within `timeoutMs`; any status is an answer. */
  request(request: {
    readonly method: 'GET' | 'POST';
    readonly url: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly timeoutMs: number;
  }): Promise<HttpResponse>;
}

/** 95th percentiles of green runs, by deployment. */
export interface PerformanceBaselines {
  read(deployment: string): Promise<number | undefined>;
  write(deployment: string, p95Milliseconds: number, at: string): Promise<void>;
}
