/** Writes values as the XML of awsQuery, ec2Query and restXml responses. */
import { determineTimestampFormat } from '@smithy/core/protocols';
import type { NormalizedSchema } from '@smithy/core/schema';
import { dateToUtcString, toBase64 } from '@smithy/core/serde';

const DATE_TIME = 5;
const HTTP_DATE = 6;

export const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** Text for element content and attribute values. A carriage return must be a reference, or the parser makes it a newline. */
export const escapeXml = (text: string): string =>
  text.replace(/[&<>"\r]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? '&#xD;');

/** One element, or several for a flattened list or map; nothing where the value is absent. */
export function element(name: string, shape: NormalizedSchema, value: unknown, attributes = ''): string {
  if (value === undefined || value === null) return '';
  const traits = shape.getMergedTraits();
  const flat = Boolean(traits.xmlFlattened);
  const [prefix, uri] = (traits.xmlNamespace as readonly [string | undefined, string] | undefined) ?? [];
  const namespace = uri ? ` xmlns${prefix ? `:${prefix}` : ''}="${escapeXml(uri)}"` : '';
  const wrap = (content: string, extra = '') => `<${name}${attributes || namespace}${extra}>${content}</${name}>`;

  if (shape.isListSchema()) {
    const item = shape.getValueSchema();
    const tag = flat ? name : String(item.getMergedTraits().xmlName ?? 'member');
    const items = (value as readonly unknown[]).map((v) => element(tag, item, v)).join('');
    return flat ? items : wrap(items);
  }
  if (shape.isMapSchema()) {
    const [key, item] = [shape.getKeySchema(), shape.getValueSchema()];
    const keyTag = String(key.getMergedTraits().xmlName ?? 'key');
    const valueTag = String(item.getMergedTraits().xmlName ?? 'value');
    const entries = Object.entries(value as object).map(
      ([k, v]) => element(keyTag, key, k) + element(valueTag, item, v),
    );
    return flat
      ? entries.map((entry) => wrap(entry)).join('')
      : wrap(entries.map((entry) => `<entry>${entry}</entry>`).join(''));
  }
  if (shape.isStructSchema()) {
    const record = value as Record<string, unknown>;
    let [content, extra] = ['', ''];
    for (const [memberName, member] of shape.structIterator()) {
      const memberTraits = member.getMergedTraits();
      const v = record[memberName];
      if (v === undefined || v === null || isHttpBound(memberTraits)) continue;
      const tag = String(member.getMemberTraits().xmlName ?? memberName);
      if (memberTraits.xmlAttribute) extra += ` ${tag}="${escapeXml(text(member, v))}"`;
      else content += element(tag, member, v);
    }
    return wrap(content, extra);
  }
  return wrap(escapeXml(text(shape, value)));
}

const isHttpBound = (traits: Record<string, unknown>): boolean =>
  Boolean(traits.httpHeader ?? traits.httpPrefixHeaders ?? traits.httpResponseCode);

function text(shape: NormalizedSchema, value: unknown): string {
  if (value instanceof Date) {
    const format = determineTimestampFormat(shape, {
      timestampFormat: { useTrait: true, default: DATE_TIME },
      httpBindings: false,
    });
    if (format === DATE_TIME) return value.toISOString().replace('.000Z', 'Z');
    return format === HTTP_DATE ? dateToUtcString(value) : String(value.getTime() / 1000);
  }
  return shape.isBlobSchema() ? toBase64(value as Uint8Array | string) : String(value);
}
