/** Questions on the terminal. */
import { createInterface } from 'node:readline/promises';

export const canAsk = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

/** One line; on standard error, because standard output may be a report. Ends empty when `signal` fires. */
export async function ask(question: string, signal?: AbortSignal): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // readline takes Ctrl-C for itself.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return (await terminal.question(question, signal ? { signal } : {})).trim();
  } catch (error) {
    if (signal?.aborted) return '';
    throw error;
  } finally {
    terminal.close();
  }
}

/**
 * Whether the question is answered with yes. Only `y`, `yes`, `n`, `no` and an empty line, which is no, are answers: a word
 * that is neither must not decide, and is asked about again.
 */
export async function confirm(question: string, signal?: AbortSignal, put: typeof ask = ask): Promise<boolean> {
  let text = `${question} [y/N] `;
  for (;;) {
    const answer = await put(text, signal);
    if (/^y(es)?$/i.test(answer)) return true;
    if (/^(no?)?$/i.test(answer)) return false;
    text = `"${answer}" is neither yes nor no. ${question} [y/N] `;
  }
}
