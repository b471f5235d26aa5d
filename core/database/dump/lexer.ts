/**
 * Finds the end of SQL statements as psql does: at a semicolon that is in no quotes, no comment, no parentheses and no
 * SQL-standard function body (BEGIN ATOMIC … END). It knows no grammar.
 */

/** What is open: its end is looked for, and everything before it is text. */
type Open =
  | { readonly kind: 'string' | 'escape-string' | 'name' }
  | { readonly kind: 'dollar'; readonly tag: string }
  | { readonly kind: 'comment'; readonly depth: number };

/** In this order: E'…' before the word E, a word before the $ within it, a dollar quote before a lone $. */
const token =
  /--[^\n]*|\/\*|[eE]'|'|"|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|[();\\]|./gsy;

/** The first words of a statement whose body may be SQL-standard: psql counts BEGIN, CASE and END in no other. */
const ofRoutine = /^create (or replace )?(function|procedure) /;

export class StatementLexer {
  #text = '';
  #open: Open | undefined;
  #parentheses = 0;
  #bodies = 0;
  #words: string[] = [];

  /** The statement so far; empty between two statements. */
  get pending(): string {
    return this.#text;
  }

  /** Takes one line with its newline; yields each statement that ends in it. Throws where a psql command is among it. */
  *push(line: string): Generator<string> {
    let from = 0;
    for (let at = 0; at < line.length; ) {
      const end = this.#open === undefined ? this.#readToken(line, at) : this.#readOpen(line, at, this.#open);
      const isEnd = line[end - 1] === ';' && end === at + 1 && this.#isOutside();
      at = end;
      if (!isEnd) continue;
      yield (this.#text + line.slice(from, at)).trim();
      this.#text = '';
      this.#words = [];
      from = at;
    }
    const rest = line.slice(from);
    // What lies between statements is no statement.
    this.#text = this.#text === '' && this.#open === undefined && isBlank(rest) ? '' : this.#text + rest;
  }

  #isOutside(): boolean {
    return this.#open === undefined && this.#parentheses === 0 && this.#bodies === 0;
  }

  #readToken(line: string, at: number): number {
    token.lastIndex = at;
    const [found = ''] = token.exec(line) ?? [];
    if (found === "'") this.#open = { kind: 'string' };
    else if (/^[eE]'$/.test(found)) this.#open = { kind: 'escape-string' };
    else if (found === '"') this.#open = { kind: 'name' };
    else if (found === '/*') this.#open = { kind: 'comment', depth: 1 };
    else if (found.length > 1 && found.startsWith('$')) this.#open = { kind: 'dollar', tag: found };
    else if (found === '(') this.#parentheses += 1;
    else if (found === ')') this.#parentheses -= 1;
    else if (found === '\\') throw new Error('a psql command');
    else if (/^[a-z_]/i.test(found)) this.#readWord(found.toLowerCase());
    return at + found.length;
  }

  #readWord(word: string): void {
    if (this.#words.length < 4) this.#words.push(word);
    if (this.#parentheses > 0 || !ofRoutine.test(`${this.#words.join(' ')} `)) return;
    if (word === 'begin' || (word === 'case' && this.#bodies > 0)) this.#bodies += 1;
    else if (word === 'end' && this.#bodies > 0) this.#bodies -= 1;
  }

  #readOpen(line: string, at: number, open: Open): number {
    if (open.kind === 'comment') return this.#readComment(line, at, open.depth);
    const end =
      open.kind === 'escape-string'
        ? endOfEscapeString(line, at)
        : endOf(line, at, open.kind === 'dollar' ? open.tag : open.kind === 'name' ? '"' : "'");
    // A doubled quote opens again at once, which comes to the same.
    if (end !== undefined) this.#open = undefined;
    return end ?? line.length;
  }

  #readComment(line: string, at: number, depth: number): number {
    const mark = /\/\*|\*\//g;
    mark.lastIndex = at;
    const found = mark.exec(line);
    if (found === null) return line.length;
    const left = found[0] === '/*' ? depth + 1 : depth - 1;
    this.#open = left === 0 ? undefined : { kind: 'comment', depth: left };
    return mark.lastIndex;
  }
}

function endOf(line: string, at: number, mark: string): number | undefined {
  const found = line.indexOf(mark, at);
  return found < 0 ? undefined : found + mark.length;
}

/** A backslash takes the next character with it; a doubled quote stays within, for what follows is still an escape string. */
function endOfEscapeString(line: string, at: number): number | undefined {
  for (let index = at; index < line.length; index += 1) {
    if (line[index] === '\\' || (line[index] === "'" && line[index + 1] === "'")) index += 1;
    else if (line[index] === "'") return index + 1;
  }
  return undefined;
}

const isBlank = (text: string): boolean => /^\s*(--[^\n]*)?\s*$/.test(text);
