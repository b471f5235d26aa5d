/** What the lint says of a definition. */
export interface Finding {
  readonly code:
    | 'invalid-jsonata'
    | 'undefined-variable'
    | 'unset-states-member'
    | 'task-without-timeout'
    | 'callback-without-bound'
    | 'token-not-passed'
    | 'unresolved-substitution'
    | 'unreachable-state'
    | 'handler-after-all';
  /** JSON path without the dollar: `/States/Restore/Output/total`. */
  readonly location: string;
  readonly message: string;
}
