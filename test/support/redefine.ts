/** Waits of a deployed state machine, shortened for a test: its bounds are real minutes, or hundreds of tries. */
import { DescribeStateMachineCommand, type SFNClient, UpdateStateMachineCommand } from '@aws-sdk/client-sfn';

interface State {
  TimeoutSeconds?: number | string;
  Retry?: { ErrorEquals: string[]; MaxAttempts?: number }[];
  Branches?: Flow[];
}
interface Flow {
  States: Record<string, State>;
}

/** Changes one state, wherever it is in the definition; returns what puts the definition back. */
export async function redefine(
  sfn: SFNClient,
  stateMachineArn: string,
  name: string,
  change: (state: State) => void,
): Promise<() => Promise<void>> {
  const { definition = '' } = await sfn.send(new DescribeStateMachineCommand({ stateMachineArn }));
  const update = async (text: string) =>
    void (await sfn.send(new UpdateStateMachineCommand({ stateMachineArn, definition: text })));
  const changed = JSON.parse(definition);
  const state = find(changed, name);
  if (state === undefined) throw new Error(`${stateMachineArn} has no state ${name}`);
  change(state);
  await update(JSON.stringify(changed));
  return () => update(definition);
}

function find({ States }: Flow, name: string): State | undefined {
  const inner = Object.values(States).flatMap(({ Branches = [] }) => Branches);
  return States[name] ?? inner.map((flow) => find(flow, name)).find((found) => found !== undefined);
}

/** Gives people less time for their answer, in seconds. */
export const shortenApproval = (sfn: SFNClient, stateMachineArn: string, seconds: number) =>
  redefine(sfn, stateMachineArn, 'RequestApproval', (state) => {
    state.TimeoutSeconds = seconds;
  });

/** Lets a wait end after so many tries for an error. */
export const shortenWait = (sfn: SFNClient, stateMachineArn: string, name: string, error: string, tries: number) =>
  redefine(sfn, stateMachineArn, name, ({ Retry = [] }) => {
    const wait = Retry.find(({ ErrorEquals }) => ErrorEquals.includes(error));
    if (wait === undefined) throw new Error(`${name} does not wait on ${error}`);
    wait.MaxAttempts = tries;
  });
