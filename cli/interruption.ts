/** What Ctrl-C leaves behind depends on what was going on: a command says it before it begins. */
let farewell = 'Interrupted. Nothing was concluded, and nothing is left behind.';

export function onInterruptionSay(text: string): void {
  farewell = text;
}

export const sayOnInterruption = (): string => farewell;
