/** Wildcards and policy variables (IAM User Guide: reference_policies_variables, reference_policies_elements_resource). */

import { remembered } from '../remembered.ts';

/** A request's condition keys and their values. Names are in lower case: IAM compares them without case. */
export interface Context {
  get(name: string): readonly string[] | undefined;
}

/** Of what depends on no request. */
export const noContext: Context = { get: () => undefined };

export function contextOf(values: Readonly<Record<string, string | readonly string[] | undefined>>): Context {
  const context = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(values))
    if (value !== undefined) context.set(name.toLowerCase(), typeof value === 'string' ? [value] : value);
  return context;
}

const escapeRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const VARIABLE = /\$\{([^}]*)\}/;

/**
 * The text of a policy with its variables replaced, in pieces: what came from a variable is literal, even `*`.
 * Undefined where the request has no value for a variable without default: such an element matches nothing.
 */
function resolve(text: string, context: Context): { literal: boolean; text: string }[] | undefined {
  const pieces: { literal: boolean; text: string }[] = [];
  for (const [index, piece] of text.split(VARIABLE).entries()) {
    if (index % 2 === 0) {
      pieces.push({ literal: false, text: piece });
      continue;
    }
    // `${*}`, `${?}` and `${$}` are the characters themselves.
    const [, name = '', fallback] = /^\s*([^,]*?)\s*(?:,\s*'(.*)'\s*)?$/.exec(piece) ?? [];
    const values = context.get(name.toLowerCase());
    const value = '*?$'.includes(piece) && piece.length === 1 ? piece : values?.length === 1 ? values[0] : fallback;
    if (value === undefined) return undefined;
    pieces.push({ literal: true, text: value });
  }
  return pieces;
}

/** The text with its variables replaced and no wildcards; undefined where one has no value. */
export function resolveText(text: string, context: Context): string | undefined {
  if (!text.includes('${')) return text;
  return resolve(text, context)
    ?.map((piece) => piece.text)
    .join('');
}

/** Whether `value` matches the text, variables replaced, `*` any characters and `?` one. */
export function matchesText(text: string, value: string, context: Context, flags = ''): boolean {
  if (!text.includes('${')) return plainPattern(text, flags).test(value);
  const pieces = resolve(text, context);
  if (!pieces) return false;
  const pattern = pieces.map(({ literal, text: piece }) =>
    literal
      ? escapeRegExp(piece)
      : piece
          .split(/([*?])/)
          .map(wildcard)
          .join(''),
  );
  return new RegExp(`^${pattern.join('')}$`, `s${flags}`).test(value);
}
/** The same few texts of policies are matched again and again. */
const plainPatterns: Readonly<Record<string, Map<string, RegExp>>> = { '': new Map(), i: new Map() };

function plainPattern(text: string, flags: string): RegExp {
  const known = plainPatterns[flags]?.get(text);
  if (known !== undefined) return known;
  const source = text
    .split(/([*?])/)
    .map(wildcard)
    .join('');
  const pattern = new RegExp(`^${source}$`, `s${flags}`);
  plainPatterns[flags]?.set(text, pattern);
  return pattern;
}

const wildcard = (piece: string) => (piece === '*' ? '.*' : piece === '?' ? '.' : escapeRegExp(piece));

/** ARNs match part by part: a wildcard does not reach over a colon, but for the last part, the resource. */
export function matchesArn(text: string, value: string, context: Context): boolean {
  if (!text.includes('${')) return plainArn(text)(value);
  return matchesParts(arnParts(text), value, context);
}

function matchesParts(pattern: readonly string[], value: string, context: Context): boolean {
  const arn = arnParts(value);
  return pattern.length === arn.length && pattern.every((part, i) => matchesText(part, arn[i] ?? '', context));
}

/** Most name one resource, or all that begin so. */
const plainArn = remembered((text: string): ((value: string) => boolean) => {
  if (text === '*') return () => true;
  if (!/[*?]/.test(text)) return (value) => value === text;
  const [, start] = /^((?:[^:*?]*:){5}[^*?]*)\*$/.exec(text) ?? [];
  if (start !== undefined) return (value) => value.startsWith(start);
  const pattern = arnParts(text);
  return (value) => matchesParts(pattern, value, noContext);
});

/** Six parts, the colons within `${…}` not counted. */
function arnParts(arn: string): string[] {
  if (!arn.includes('${')) {
    const plain = arn.split(':');
    return plain.length <= 6 ? plain : [...plain.slice(0, 5), plain.slice(5).join(':')];
  }
  const parts = arn.match(/(?:\$\{[^}]*\}|[^:])*(?::|$)/g) ?? [];
  return [...parts.slice(0, 5), parts.slice(5).join('')].map((part, i) => (i < 5 ? part.replace(/:$/, '') : part));
}
