import { describe, expect, it } from 'vitest';
import { confirm } from '../../cli/ask.ts';

/** Answers in turn; tells what was asked. */
async function answer(...answers: string[]) {
  const asked: string[] = [];
  const put = async (question: string) => {
    asked.push(question);
    return answers.shift() ?? '';
  };
  return { said: await confirm('Approve?', undefined, put), asked };
}

describe('a question that decides', () => {
  it.each(['y', 'Y', 'yes'])('takes %s for yes', async (word) => expect((await answer(word)).said).toBe(true));
  it.each(['', 'n', 'no', 'NO'])('takes "%s" for no', async (word) => expect((await answer(word)).said).toBe(false));
  it.each(['approve', 'yse', 'nope', '1'])('takes %s for nothing, and asks again', async (word) => {
    expect(await answer(word, 'y')).toEqual({
      said: true,
      asked: ['Approve? [y/N] ', `"${word}" is neither yes nor no. Approve? [y/N] `],
    });
    expect((await answer(word, 'n')).said).toBe(false);
  });
});
