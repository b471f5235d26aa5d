/** The package brings no types. */
declare module 'asl-validator' {
  /** Checks a definition against the JSON schemas of States Language, and changes it. */
  export default function validate(definition: object): {
    readonly isValid: boolean;
    readonly errors: readonly { readonly message: string }[];
  };
}
