/** Evaluates a field's value: any JSON whose `{% … %}` strings are JSONata. */
import { StatesError } from './errors.ts';
import type { Json } from './json.ts';
import { evaluate, expressionOf, type Host } from './jsonata.ts';

/** What expressions see: the workflow's variables and `$states`. */
export type Bindings = Readonly<Record<string, unknown>>;

/** Throws StatesError States.QueryEvaluationError, whose location is `location` with the path of the failing part. */
export async function evaluateTemplate(
  template: Json,
  bindings: Bindings,
  host: Host,
  location: string,
): Promise<Json> {
  if (typeof template === 'string') {
    const source = expressionOf(template);
    return source === undefined ? template : evaluateExpression(source, bindings, host, location);
  }
  if (template === null || typeof template !== 'object') return template;
  if (Array.isArray(template)) {
    const out: Json[] = [];
    for (const [index, item] of template.entries())
      out.push(await evaluateTemplate(item, bindings, host, `${location}[${index}]`));
    return out;
  }
  const out: Record<string, Json> = {};
  for (const [name, value] of Object.entries(template))
    out[name] = await evaluateTemplate(value, bindings, host, `${location}/${name}`);
  return out;
}

async function evaluateExpression(source: string, bindings: Bindings, host: Host, location: string): Promise<Json> {
  const where = `The JSONata expression '${source.trim()}' specified for the field '${location}'`;
  const fail = (what: string) => new StatesError('States.QueryEvaluationError', `${where} ${what}`, location);
  let value: unknown;
  try {
    value = await evaluate(source, bindings, host);
  } catch (thrown) {
    const { code, message } = thrown as { code?: string; message?: string };
    throw fail(`threw an error during evaluation. ${code ? `${code}: ` : ''}${message ?? ''}`);
  }
  // AWS: an expression must not select nothing; a missing value is not null.
  if (value === undefined) throw fail('returned nothing (undefined).');
  return plain(value, () => fail('returned an unsupported result type.'));
}

/** A copy without JSONata's sequence flags; functions, regular expressions and infinite numbers are no JSON. */
function plain(value: unknown, refuse: () => StatesError): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw refuse();
      return value;
    case 'object':
      break;
    default:
      throw refuse();
  }
  if (value === null) return null;
  if (Array.isArray(value)) return value.map((item) => plain(item, refuse));
  if (value instanceof RegExp || '_jsonata_lambda' in value || '_jsonata_function' in value) throw refuse();
  const out: Record<string, Json> = {};
  for (const [name, member] of Object.entries(value)) if (member !== undefined) out[name] = plain(member, refuse);
  return out;
}
