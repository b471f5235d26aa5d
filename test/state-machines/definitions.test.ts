import aslValidator from 'asl-validator';
import { describe, expect, it } from 'vitest';
import { errorRegistry } from '../../core/errors.ts';
import '../../scripts/product-errors.ts';
import { lintDefinition } from '../../local/states/lint.ts';
import { problemsOf } from '../../local/states/validate.ts';
import { only, stacks, targetOf } from '../lib/stacks.ts';
import {
  catchersOf,
  definitionOf,
  isJob,
  limitOf,
  machines,
  payloadOf,
  placesIn,
  retriersOf,
  routeOf,
  sourceOf,
  substitutionsOf,
  tasksIn,
} from './machines.ts';

/** What the call of a function comes to that nobody has called for weeks: it wakes Lambda, which takes a minute or two. */
const asleep = [
  'Lambda.ResourceNotReadyException',
  'Lambda.ResourceConflictException',
  'Lambda.CodeArtifactUserPendingException',
  'Lambda.ENINotReadyException',
];
/** Readiness looks every half hour: its functions never sleep. */
const asleepIn = (machine: string) => (machine === 'readiness' ? [] : asleep);
/** What Lambda fails at for now, by its own documentation, and what our functions call a service's transient failure. */
const transient = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
  // A function that died half-way: steps adopt what an earlier attempt did.
  'Lambda.Unknown',
  'Runtime.ExitError',
  'ServiceUnavailable',
];
/** What CodeBuild fails at for now when a build is started; a token keeps a repeated start from being a second build. */
const transientOfJobs = [
  'CodeBuild.AccountLimitExceededException',
  'CodeBuild.AWSCodeBuildException',
  'CodeBuild.SdkClientException',
];
/** Begin outside of an incident or of a run, or call no step of one. */
const withoutIncident = ['AcceptRequest', 'ReportRefusal', 'AcceptBackup', 'AcceptReadiness'];
/** Ends in this: where that fails, the execution does, which a clean-up, a watch or an alarm sees. */
const last: Readonly<Record<string, string>> = { backup: 'ReportBackup', readiness: 'ReportReadiness' };
/** What every step is given: a recovery's work on an incident; backups and looks have runs. */
const subjectOf = (machine: string, step: string) =>
  machine in last || (step.startsWith('LookAt') && step !== 'LookAtResources')
    ? { run: '{% $run %}' }
    : { incident: '{% $incident %}' };

describe.each(machines)('%s', (machine) => {
  const source = sourceOf(machine);
  const definition = definitionOf(machine);
  const places = placesIn(definition);
  const tasks = tasksIn(definition);

  it('is what lint and validation leave nothing to say about', () => {
    expect(lintDefinition(JSON.parse(source), substitutionsOf(source))).toEqual([]);
    expect(problemsOf(definition)).toEqual([]);
  });
  it('is States Language to asl-validator', () => {
    // It changes what it is given: a fresh copy each time, the substitutions filled in.
    const { isValid, errors } = aslValidator(structuredClone(definition));
    expect({ isValid, errors }).toEqual({ isValid: true, errors: [] });
    const broken = { ...structuredClone(definition), StartAt: 'Nowhere' };
    expect(aslValidator(broken).isValid).toBe(false);
  });
  it('has a comment on every state, for people in the console', () => {
    expect(places.filter(({ state }) => !state.Comment).map(({ name }) => name)).toEqual([]);
  });
  it('is bounded as a whole and in every task', () => {
    expect(definition.TimeoutSeconds).toBeGreaterThan(0);
    expect(tasks.filter((task) => !(limitOf(task) > 0)).map(({ name }) => name)).toEqual([]);
  });
  it('tries every task again at what fails for now', () => {
    const missing = tasks.filter((task) => {
      const expected = isJob(task) ? transientOfJobs : [...transient, ...asleepIn(machine)];
      return !expected.every((error) => retriersOf(task).some(({ ErrorEquals }) => ErrorEquals.includes(error)));
    });
    expect(missing.map(({ name }) => name)).toEqual([]);
  });
  // What counts its looks by RetryCount counts these too: each takes longer than a look's interval, so that no wait ends early.
  it('waits for a function that is asleep until Lambda has woken it, in few tries', () => {
    const patience = tasks
      .filter((task) => !isJob(task) && asleepIn(machine).length > 0)
      .map((task) => {
        const {
          IntervalSeconds = 1,
          MaxAttempts = 3,
          BackoffRate,
        } = retriersOf(task).find(({ ErrorEquals }) => ErrorEquals.includes('Lambda.ResourceNotReadyException')) ?? {};
        return BackoffRate === 1 && IntervalSeconds >= 30 ? IntervalSeconds * MaxAttempts : 0;
      });
    expect(patience.filter((seconds) => seconds < 150)).toEqual([]);
  });
  it('never retries blindly: neither States.ALL nor a failure that the product does not call retryable', () => {
    const retried = places.flatMap(retriersOf).flatMap(({ ErrorEquals }) => ErrorEquals);
    expect(retried.filter((error) => error.startsWith('States.'))).toEqual([]);
    const ours = retried.filter((error) => !/^(Lambda|Runtime|CodeBuild)\./.test(error));
    expect(ours.filter((error) => !errorRegistry.get(error)?.retryable)).toEqual([]);
  });
  it('catches every failure, but of the state that ends it: that one fails the execution, which a clean-up or a watch sees', () => {
    const uncaught = tasks.filter((task) => routeOf(task, 'Anything') === undefined).map(({ name }) => name);
    expect(uncaught).toEqual([last[machine] ?? 'CloseIncident']);
  });
  it('ends every Catch, by way of the error, in a state of the same scope', () => {
    for (const place of places)
      for (const { Next } of catchersOf(place))
        expect(places.find(({ name }) => name === Next)?.around).toEqual(place.around);
  });
  it('gives every step what it works on and its own name, and every piece its id', () => {
    for (const { name, state, around } of tasks) {
      const Payload = payloadOf(state);
      if (withoutIncident.includes(name)) continue;
      expect(Payload).toMatchObject({ ...subjectOf(machine, name), step: '{% $states.context.State.Name %}' });
      expect(Payload.piece !== undefined).toBe(around[0]?.state.Type === 'Map');
    }
  });

  describe.each(stacks)('in $name', (stack) => {
    const { properties } = only(
      stack,
      'AWS::StepFunctions::StateMachine',
      ({ StateMachineName }) => StateMachineName === `stocker-dr-${stack.environment}-${machine}`,
    );
    const given: Record<string, unknown> = properties.DefinitionSubstitutions;
    it('is given exactly its substitutions', () => {
      expect(Object.keys(given).sort()).toEqual(substitutionsOf(source).sort());
    });
    it('is given the configured time for an approval where it asks for one, and outlasts it', () => {
      if (!substitutionsOf(source).includes('ApprovalTimeoutSeconds')) return;
      const { timeoutSeconds } = stack.configuration.approval;
      expect(given.ApprovalTimeoutSeconds).toBe(String(timeoutSeconds));
      expect(definition.TimeoutSeconds).toBeGreaterThan(2 * timeoutSeconds);
    });
    const functions = tasks.filter((task) => !isJob(task));
    it.each(functions)('$name outlasts the function that it calls', (task) => {
      const { state } = task;
      const { FunctionName } = state.Arguments as { FunctionName: string };
      const { Timeout } = stack.template.Resources[targetOf(given[FunctionName])]?.Properties ?? {};
      expect(Timeout).toBeGreaterThan(0);
      expect(Timeout).toBeLessThanOrEqual(limitOf(task));
    });
    it('outlasts the builds of its jobs', () => {
      for (const task of tasks.filter(isJob)) {
        const { ProjectName } = task.state.Arguments as { ProjectName: string };
        // One of two, where a drill has a project of its own.
        const named = ProjectName.match(/\w+Job\b/g) ?? [];
        expect(named.length).toBeGreaterThan(0);
        for (const name of named) {
          const project = only(stack, 'AWS::CodeBuild::Project', ({ Name }) => Name === given[name]);
          expect(project.properties.TimeoutInMinutes * 60).toBeLessThan(limitOf(task));
        }
      }
    });
  });
});

describe('errors', () => {
  const named = machines.flatMap((machine) =>
    placesIn(definitionOf(machine)).flatMap((place) =>
      [...retriersOf(place), ...catchersOf(place)].flatMap(({ ErrorEquals }) => ErrorEquals),
    ),
  );
  const retried = new Set(named);
  const retryable = [...errorRegistry.values()].filter((error) => error.retryable).map(({ name }) => name);

  it.each(retryable)('%s, which says that it is retryable, is retried by a machine', (name) => {
    expect(retried).toContain(name);
  });
  it('every name of ours that a machine knows is one that the product throws', () => {
    const ours = named.filter((name) => !/^(States|Lambda|Runtime|CodeBuild)\./.test(name));
    expect(ours.length).toBeGreaterThan(0);
    expect(ours.filter((name) => !errorRegistry.has(name))).toEqual([]);
  });
});
