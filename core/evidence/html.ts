/** HTML that escapes by itself: everything put into html`…` is text, unless it is html`…` too. */

/** Markup that is safe as it stands. */
export class Html {
  readonly markup: string;
  constructor(markup: string) {
    this.markup = markup;
  }
}

type Insertion = string | number | Html | readonly Html[] | undefined;

export function html(literals: TemplateStringsArray, ...values: readonly Insertion[]): Html {
  const markup = literals.map((literal, index) => literal + (index < values.length ? insert(values[index]) : ''));
  return new Html(markup.join(''));
}

function insert(value: Insertion): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.markup;
  if (typeof value === 'string' || typeof value === 'number') return escapeHtml(String(value));
  return value.map((each) => each.markup).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => entities[character] ?? character);

/** A table with a caption; cells of columns named in `numeric` are aligned as numbers. */
export function table(
  caption: string,
  columns: readonly string[],
  rows: readonly (readonly Insertion[])[],
  numeric: readonly string[] = [],
): Html {
  const alignment = (index: number) => (numeric.includes(columns[index] ?? '') ? html` class="number"` : undefined);
  return html`<div class="scroll"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map((column, index) => html`<th scope="col"${alignment(index)}>${column}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) => html`<tr>${row.map((cell, index) => html`<td${alignment(index)}>${cell}</td>`)}</tr>
`,
  )}</tbody></table></div>`;
}
