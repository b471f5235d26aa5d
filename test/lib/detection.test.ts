/** What rings, whom it reaches and what it starts: alarms, rules and schedules of every stack, each with a runbook to go by. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lostOrDamagedEvents } from '../../lib/constructs/database/database-detection.ts';
import { alarm, alarmsOf, anchorsOf, compositesOf, links, metricsOf, nameOf, writers } from './alarms.ts';
import { describeRules, only, type Properties, resourcesOf, type Stack, stacks, targetOf, textOf } from './stacks.ts';

const root = join(import.meta.dirname, '../..');
const functionId = (stack: Stack, path: string) =>
  only(stack, 'AWS::Lambda::Function', ({ Handler }) => Handler === `${path}.handler`).id;
const rule = (stack: Stack, name: string) =>
  only(stack, 'AWS::Events::Rule', ({ Name }) => Name === `stocker-dr-${stack.environment}-${name}`).properties;
const schedule = (stack: Stack, name: string) =>
  only(stack, 'AWS::Scheduler::Schedule', ({ Name }) => Name === `stocker-dr-${stack.environment}-${name}`).properties;
const machineOf = (stack: Stack, name: string) =>
  only(
    stack,
    'AWS::StepFunctions::StateMachine',
    ({ StateMachineName }) => StateMachineName === `stocker-dr-${stack.environment}-${name}`,
  );
const queueIds = (stack: Stack) => resourcesOf(stack, 'AWS::SQS::Queue').map(([id]) => id);
const triageTargets = (stack: Stack) =>
  resourcesOf(stack, 'AWS::Events::Rule')
    .flatMap(([, { Properties }]) => Properties.Targets as Properties[])
    .filter(({ Arn }) => targetOf(Arn) === functionId(stack, 'incident/triage-alarm'));

describeRules('detection', [
  {
    case: 'no alarm reads a metric in shorter periods than it is written',
    find: (stack) =>
      alarmsOf(stack).flatMap((each) =>
        metricsOf(each)
          .filter(({ name, period }) => !(period >= (writers(stack.configuration)[name]?.minutes ?? Number.NaN) * 60))
          .map(({ name, period }) => `${each.AlarmName} reads ${name} every ${period} s`),
      ),
    // Most periods would be empty, and three in a row never breach.
    broken: (stack) => {
      alarm(stack, 'database-connections-refused').properties.Period = 60;
    },
  },
  {
    case: 'every alarm links to the heading of a runbook that bears its name',
    find: (stack) =>
      alarmsOf(stack)
        .filter((each) => {
          const [, file, anchor = ''] = links.exec(each.AlarmDescription) ?? [];
          return file === undefined || anchor !== nameOf(stack, each) || !anchorsOf(file).includes(anchor);
        })
        .map(({ AlarmName }) => AlarmName),
    broken: (stack) => {
      alarm(stack, 'sentinel-silent').properties.AlarmDescription =
        'The sentinel is silent. Runbook: docs/runbooks/database.md#nowhere';
    },
  },
  {
    case: 'the rule of changes links to the heading of a runbook that bears its name',
    find: (stack) => {
      const [, file = '', anchor] = links.exec(rule(stack, 'configuration-change').Description) ?? [];
      return anchor === 'configuration-change' && anchorsOf(file).includes(anchor) ? [] : [`${file}#${anchor}`];
    },
    broken: (stack) => {
      rule(stack, 'configuration-change').Description = 'Runbook: docs/runbooks/configuration.md#nowhere';
    },
  },
  {
    case: 'every alarm tells the team',
    find: (stack) => {
      const { id } = only(stack, 'AWS::SNS::Topic', ({ TopicName }) => String(TopicName).endsWith('-internal'));
      return alarmsOf(stack)
        .filter(
          ({ AlarmActions, ActionsEnabled }) => ActionsEnabled === false || !AlarmActions?.map(targetOf).includes(id),
        )
        .map(({ AlarmName }) => AlarmName);
    },
    broken: (stack) => {
      alarm(stack, 'database-damage-found').properties.AlarmActions = [];
    },
  },
  {
    case: 'a heartbeat or a sentinel that falls silent is what rings; no damage reported is no damage',
    find: (stack) => {
      const expected: Record<string, string> = {
        'database-heartbeat-missing': 'breaching',
        'sentinel-silent': 'breaching',
        'database-damage-found': 'notBreaching',
        'backup-missed': 'breaching',
        'backup-late': 'notBreaching',
        'backup-failed': 'notBreaching',
      };
      return Object.entries(expected)
        .filter(([name, missing]) => alarm(stack, name).properties.TreatMissingData !== missing)
        .map(([name]) => name);
    },
    broken: (stack) => {
      alarm(stack, 'database-heartbeat-missing').properties.TreatMissingData = 'missing';
    },
  },
  {
    case: 'triage hears of every database alarm but a silent sentinel, which is no sign of damage',
    find: (stack) => {
      const heard = rule(stack, 'database-alarm').EventPattern.resources.map(targetOf);
      return alarmsOf(stack)
        .filter((each) => heard.includes(each.id) !== nameOf(stack, each).startsWith('database-'))
        .map(({ AlarmName }) => AlarmName);
    },
    broken: (stack) => {
      rule(stack, 'database-alarm').EventPattern.resources.pop();
    },
  },
  {
    case: 'triage hears only of alarms that ring',
    find: (stack) => {
      const { source, detail, ...pattern } = rule(stack, 'database-alarm').EventPattern;
      return `${source} ${pattern['detail-type']} ${detail.state.value}` ===
        'aws.cloudwatch CloudWatch Alarm State Change ALARM'
        ? []
        : [JSON.stringify(detail)];
    },
    broken: (stack) => {
      rule(stack, 'database-alarm').EventPattern.detail.state.value = ['ALARM', 'OK'];
    },
  },
  {
    case: 'triage hears of instances lost or damaged, and of no failover that heals itself',
    find: (stack) => {
      const heard: string[] = rule(stack, 'database-event').EventPattern.detail.EventID;
      const healing = ['RDS-EVENT-0013', 'RDS-EVENT-0015', 'RDS-EVENT-0049'];
      return [
        ...lostOrDamagedEvents.filter((id) => !heard.includes(id)),
        ...healing.filter((id) => heard.includes(id)),
      ];
    },
    broken: (stack) => {
      rule(stack, 'database-event').EventPattern.detail.EventID.push('RDS-EVENT-0049');
    },
  },
  {
    case: 'no stale event reaches triage, and none is lost in silence',
    find: (stack) =>
      triageTargets(stack)
        .filter(
          ({ RetryPolicy, DeadLetterConfig }) =>
            !(RetryPolicy?.MaximumEventAgeInSeconds <= 900) ||
            !queueIds(stack).includes(targetOf(DeadLetterConfig?.Arn ?? 'none')),
        )
        .map((target) => JSON.stringify(target)),
    broken: (stack) => {
      for (const target of triageTargets(stack)) delete target.RetryPolicy.MaximumEventAgeInSeconds;
    },
  },
  {
    case: 'EventBridge may send to the dead-letter queue of each rule that names one',
    find: (stack) => {
      const admitted = resourcesOf(stack, 'AWS::SQS::QueuePolicy')
        .map(([, { Properties }]) => JSON.stringify(Properties.PolicyDocument))
        .join();
      return resourcesOf(stack, 'AWS::Events::Rule')
        .filter(
          ([id, { Properties }]) =>
            Properties.Targets.some((each: Properties) => each.DeadLetterConfig) &&
            !admitted.includes(`"aws:SourceArn":{"Fn::GetAtt":["${id}","Arn"]}`),
        )
        .map(([id]) => id);
    },
    broken: (stack) => {
      for (const [, { Properties }] of resourcesOf(stack, 'AWS::SQS::QueuePolicy'))
        Properties.PolicyDocument.Statement = [];
    },
  },
  {
    case: 'an execution that ended without its own Catch wakes the clean-up',
    find: (stack) => {
      const { EventPattern, Targets } = rule(stack, 'database-recovery-ended');
      const machine = `arn:aws:states:${stack.region}:${stack.configuration.account}:stateMachine:stocker-dr-${stack.environment}-database-recovery`;
      return [
        ...['ABORTED', 'TIMED_OUT', 'FAILED'].filter((status) => !EventPattern.detail.status.includes(status)),
        ...(`${EventPattern.detail.stateMachineArn}` === machine ? [] : ['another machine']),
        ...(targetOf(Targets[0].Arn) === functionId(stack, 'incident/clean-up-stopped') ? [] : ['another target']),
      ];
    },
    broken: (stack) => {
      rule(stack, 'database-recovery-ended').EventPattern.detail.status = ['ABORTED'];
    },
  },
  {
    case: 'schedules beat at the plan’s cadence, in UTC, at the minute',
    find: (stack) => {
      const {
        heartbeatMinutes,
        databaseDrill,
        clusterDrill,
        configurationCheck,
        regionDrill,
        backup,
        backupProof,
        dumpProof,
      } = stack.configuration.schedules;
      const expected: Record<string, string> = {
        heartbeat: `rate(${heartbeatMinutes} minute${heartbeatMinutes === 1 ? '' : 's'})`,
        sentinel: 'rate(5 minutes)',
        'drill-sweep': 'rate(15 minutes)',
        progress: 'rate(5 minutes)',
        'database-drill': databaseDrill,
        'cluster-watch': 'rate(1 minute)',
        'cluster-drill': clusterDrill,
        'configuration-check': configurationCheck,
        backup,
        'backup-proof': backupProof,
        'dump-proof': dumpProof,
        'backup-watch': 'rate(30 minutes)',
        readiness: 'rate(30 minutes)',
        'wake-functions': 'rate(7 days)',
        'region-guard': 'rate(1 minute)',
        ...(stack.role === 'dr' && {
          'region-probe': 'rate(1 minute)',
          'region-latch': 'rate(1 minute)',
          'region-drill': regionDrill,
        }),
      };
      const prefix = `stocker-dr-${stack.environment}-`;
      const unplanned = resourcesOf(stack, 'AWS::Scheduler::Schedule')
        .map(([, { Properties }]) => String(Properties.Name).replace(prefix, ''))
        .filter((name) => expected[name] === undefined);
      const wrong = Object.entries(expected)
        .filter(([name, expression]) => {
          const found = schedule(stack, name);
          return (
            found.ScheduleExpression !== expression ||
            found.ScheduleExpressionTimezone !== 'Etc/UTC' ||
            found.FlexibleTimeWindow.Mode !== 'OFF' ||
            found.State !== 'ENABLED'
          );
        })
        .map(([name]) => name);
      return [...wrong, ...unplanned];
    },
    broken: (stack) => {
      schedule(stack, 'database-drill').ScheduleExpressionTimezone = 'Europe/Berlin';
    },
  },
  {
    case: 'schedules keep what they could not deliver, and deliver nothing late',
    find: (stack) =>
      resourcesOf(stack, 'AWS::Scheduler::Schedule')
        .filter(
          ([
            ,
            {
              Properties: { Target },
            },
          ]) =>
            !queueIds(stack).includes(targetOf(Target.DeadLetterConfig?.Arn ?? 'none')) ||
            !(Target.RetryPolicy?.MaximumEventAgeInSeconds <= 3600),
        )
        .map(([id]) => id),
    broken: (stack) => {
      delete schedule(stack, 'heartbeat').Target.DeadLetterConfig;
    },
  },
  {
    case: 'what is looked at every minute is not tried again by Lambda beside the looks that are due',
    find: (stack) => {
      const once = resourcesOf(stack, 'AWS::Lambda::EventInvokeConfig')
        .filter(([, { Properties }]) => Properties.Qualifier === '$LATEST' && Properties.MaximumRetryAttempts === 0)
        .map(([, { Properties }]) => targetOf(Properties.FunctionName));
      return resourcesOf(stack, 'AWS::Scheduler::Schedule')
        .filter(([, { Properties }]) => Properties.ScheduleExpression === 'rate(1 minute)')
        .filter(([, { Properties }]) => !once.includes(targetOf(Properties.Target.Arn)))
        .map(([id]) => id);
    },
    broken: (stack) => {
      const [config] = resourcesOf(stack, 'AWS::Lambda::EventInvokeConfig');
      if (config) delete config[1].Properties.MaximumRetryAttempts;
    },
  },
  {
    case: 'the drill’s schedule starts the machine as a drill, with its name and time',
    find: (stack) => {
      const { Target } = schedule(stack, 'database-drill');
      const machine = machineOf(stack, 'database-recovery').id;
      const input = JSON.parse(textOf(Target.Input));
      return [
        ...(targetOf(Target.Arn) === machine ? [] : ['another target']),
        ...(input.mode === 'drill' ? [] : [`mode ${input.mode}`]),
        ...(input.trigger?.at === '<aws.scheduler.scheduled-time>' ? [] : ['no time']),
      ];
    },
    broken: (stack) => {
      const { Target } = schedule(stack, 'database-drill');
      Target.Input = JSON.stringify({ ...JSON.parse(textOf(Target.Input)), mode: 'recovery' });
    },
  },
  {
    case: 'the schedules of the backup start its machine, one to make it, and one each to prove it and the dump',
    find: (stack) => {
      const machine = machineOf(stack, 'backup').id;
      return Object.entries({ backup: 'backup', 'backup-proof': 'prove', 'dump-proof': 'prove-dump' }).flatMap(
        ([name, task]) => {
          const { Target } = schedule(stack, name);
          const input = JSON.parse(textOf(Target.Input));
          return targetOf(Target.Arn) === machine && input.task === task ? [] : [`${name}: ${JSON.stringify(input)}`];
        },
      );
    },
    broken: (stack) => {
      schedule(stack, 'backup-proof').Target.Input = JSON.stringify({ task: 'backup' });
    },
  },
]);

describe('metrics', () => {
  const [first] = stacks;
  const read = [
    ...new Set(
      stacks
        .flatMap(alarmsOf)
        .flatMap(metricsOf)
        .map(({ name }) => name),
    ),
  ];
  const writes = (name: string) => {
    const file = first && writers(first.configuration)[name]?.file;
    return file !== undefined && readFileSync(join(root, file), 'utf8').includes(`name: '${name}'`);
  };
  it.each(read)('%s, which an alarm reads, is written', (name) => {
    expect(writes(name)).toBe(true);
  });
  it('(control) sees one that nobody writes', () => {
    expect(writes('NeverWritten')).toBe(false);
  });
});

describe('runbooks', () => {
  const documented = new Map(
    ['backup', 'cluster', 'configuration', 'database', 'incident', 'readiness', 'region'].map((area) => {
      const file = `docs/runbooks/${area}.md`;
      return [file, readFileSync(join(root, file), 'utf8')];
    }),
  );
  const sections = [...documented].flatMap(([file, text]) =>
    text
      .split(/^## /m)
      .slice(1)
      .map((section) => ({ file, heading: section.split('\n')[0] ?? '', section })),
  );
  const linked = new Set(
    [...stacks.flatMap(alarmsOf), ...stacks.flatMap(compositesOf)].map(({ AlarmDescription }) =>
      links.exec(AlarmDescription)?.[0].replace('Runbook: ', ''),
    ),
  );

  it.each(sections)('$file $heading is the runbook of an alarm', ({ file, heading }) => {
    expect(linked).toContain(`${file}#${heading}`);
  });
  it.each(sections)('$heading says what it means, what to look at and what to do', ({ section }) => {
    for (const part of ['**Means**', '**Look at**', '**Do**', '```sh']) expect(section).toContain(part);
  });
});
