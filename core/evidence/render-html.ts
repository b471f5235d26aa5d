/** report.html: one file that shows the report anywhere, on screen and on paper. */
import type { IncidentRecord } from '../incident/contracts.ts';
import { isCopyDeleted, restoresNoData } from '../incident/identifiers.ts';
import { describeRestoreTo, formatSeconds } from '../incident/moments.ts';
import { debtInWords } from './aftermath.ts';
import type { ChecklistItem, ObjectiveResult, Report } from './contracts.ts';
import { drawTimeline } from './draw-timeline.ts';
import { drawTrend } from './draw-trend.ts';
import { Html, html, table } from './html.ts';
import { reportStyle } from './report-style.ts';

/** The report as a self-contained page. Call it again after adding `measured`. */
export function renderReport(report: Report): string {
  const { incident } = report.record;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${incident.id}: ${report.outcome}</title>
<style>${new Html(reportStyle)}</style>
</head>
<body>
<header>${heading(report)}</header>
<main>
<section aria-label="Objectives"><div class="tiles">${report.objectives.map(tile)}${validationTile(report)}</div></section>
${section('Timeline', drawTimeline(report))}
${section('Where the time went', pathTable(report))}
${report.measured ? section('Independent measurement', measurement(report.measured)) : undefined}
${restoresNoData(incident) ? undefined : databaseSections(report)}
${report.repair ? section('Repaired tables', repairTables(report.repair)) : undefined}
${report.terraformDebt ? section('Terraform debt', debtTable(report.terraformDebt)) : undefined}
${section('Recovery checklist of the plan', checklistTable(report))}
${section('Messages', messageTable(report))}
${section('Trend', trend(report))}
${section('Post-incident review (draft)', review(report))}
${section('Evidence', evidence(report))}
</main>
</body>
</html>
`.markup;
}

/** Nothing of a database is restored with a cluster. */
const databaseSections = (report: Report) => html`${section('Validation', validationTable(report))}
${section('Parity with the source', parityTable(report))}`;

const section = (title: string, content: Html) => html`<section><h2>${title}</h2>${content}</section>`;
const good = (text: string) => html`<span class="good">✓ ${text}</span>`;
const bad = (text: string) => html`<span class="bad">✕ ${text}</span>`;
const warn = (text: string) => html`<span class="warn">? ${text}</span>`;

function heading({ record, outcome, failure, generatedAt, objectives, timeline }: Report): Html {
  const { incident } = record;
  const tone = failure ? 'bad' : objectives.every(({ met }) => met === 'met') ? 'good' : 'warn';
  return html`<p class="soft">${incident.mode === 'drill' ? 'DRILL' : 'RECOVERY'} · ${incident.environment} · scenario ${incident.scenario} · ${incident.region}</p>
<h1>${outcome}</h1>
<p class="soft">${incident.id} · report of ${generatedAt}</p>
<div class="banner ${tone}">
<p><b>Reason:</b> ${incident.reason} (${triggerText(incident)})</p>
<p>${recovered(incident, timeline)}</p>
<p><b>Detected</b> ${incident.detectedAt} · <b>recovered</b> ${record.recoveredAt ?? 'not'} · <b>closed</b> ${record.closedAt ?? 'not'}</p>
</div>
${failure ? failureBox(failure, isCopyDeleted(incident), timeline) : undefined}`;
}

/** What was recovered, and to what. */
function recovered(incident: IncidentRecord['incident'], timeline: Report['timeline']): Html {
  const { scenario, scope, target } = incident;
  if (scenario === 'cluster') {
    const assessed = timeline.findLast(({ step }) => step === 'AssessCluster');
    return html`<b>Cluster:</b> ${target}${assessed ? `, ${assessed.summary}` : ''}`;
  }
  if (scenario === 'configuration') {
    const judged = timeline.findLast(({ step }) => step === 'JudgeFindings');
    return html`<b>Configuration:</b> ${target}${judged ? `, ${judged.summary}` : ''}`;
  }
  const point = restoredTo(incident, timeline);
  if (scope) return html`<b>Tables:</b> ${scope.tables.join(', ')} of ${target}, as of ${point}`;
  return html`<b>Database:</b> ${target}, restored to ${point}`;
}

/** An alarm's name is mostly in the reason. */
const triggerText = ({ reason, trigger: { kind, name } }: IncidentRecord['incident']) =>
  name === undefined || reason.includes(name) ? kind : `${kind} ${name}`;

const planning = ['AssessDatabase', 'Replan', 'RestoreDatabase'];

/** What was restored or else planned last, before what was asked for: a recovery that asks for the latest goes to before the damage. */
function restoredTo({ restoreTo }: IncidentRecord['incident'], timeline: Report['timeline']): string {
  const planned = timeline.flatMap(({ step, facts: { restorePoint } }) =>
    planning.includes(step) && typeof restorePoint === 'string' ? [restorePoint] : [],
  );
  const point = planned.at(-1);
  const asked = describeRestoreTo(restoreTo);
  return point === undefined || point === asked ? asked : `${point} (asked for: ${asked})`;
}

/** What failed and what to do, before anything else; and whether what the incident made is gone. */
function failureBox(
  { name, message, next, step }: NonNullable<Report['failure']>,
  hadCopy: boolean,
  timeline: Report['timeline'],
): Html {
  const torn = timeline.findLast((each) => each.step === 'AwaitTornDown' || each.step === 'TearDown');
  const left =
    torn?.step === 'AwaitTornDown' && torn.status === 'succeeded'
      ? good(torn.summary)
      : warn(torn?.summary ?? 'not recorded');
  return html`<section class="failure" aria-label="Failure"><h2>${step ? `${step} failed: ` : ''}${name}</h2>
<dl><dt>What happened</dt><dd>${message}</dd><dt>What to do</dt><dd>${next}</dd>${hadCopy ? html`<dt>Cleaned up</dt><dd>${left}</dd>` : undefined}</dl></section>`;
}

function tile({ name, achievedSeconds, objectiveSeconds, met, basis }: ObjectiveResult): Html {
  const verdict = { met: good('met'), missed: bad('missed'), unknown: warn('unknown') }[met];
  const achieved = achievedSeconds === undefined ? 'not measured' : formatSeconds(achievedSeconds);
  return html`<div class="tile">${name} ${verdict}<strong>${achieved}</strong><span class="soft">objective ${formatSeconds(objectiveSeconds)}; ${basis}</span></div>`;
}

function validationTile({ validation, record, timeline }: Report): Html {
  if (restoresNoData(record.incident)) return applicationTile(timeline);
  const count = (verdict: string) => validation.filter((each) => each.verdict === verdict).length;
  const passed = count('passed');
  const rest = `${count('failed')} failed, ${count('unknown')} unknown`;
  const verdict =
    validation.length === 0 ? warn('not run') : passed === validation.length ? good('passed') : bad('not passed');
  return html`<div class="tile">Validation ${verdict}<strong>${passed} of ${validation.length}</strong><span class="soft">pieces passed; ${rest}</span></div>`;
}

function applicationTile(timeline: Report['timeline']): Html {
  const validated = timeline.findLast(({ step }) => step === 'ValidateApplication');
  if (validated === undefined) return html`<div class="tile">Application ${warn('not validated')}</div>`;
  const [verdict, word] =
    validated.status === 'succeeded' ? [good('validated'), 'healthy'] : [bad('refused'), 'not healthy'];
  return html`<div class="tile">Application ${verdict}<strong>${word}</strong><span class="soft">${validated.summary}</span></div>`;
}

function pathTable({ criticalPath, record }: Report): Html {
  const total = criticalPath.reduce((sum, { waitSeconds, seconds }) => sum + waitSeconds + seconds, 0);
  const share = (seconds: number) => (total > 0 ? `${Math.round((seconds / total) * 100)} %` : '');
  const until = record.recoveredAt ? 'until the application had validated healthy' : 'until the incident was closed';
  return table(
    `The critical path from detection ${until}: ${formatSeconds(total)}. Waits are the state machine’s own time between steps.`,
    ['Step', 'Wait before', 'Duration', 'Share'],
    criticalPath.map(({ step, waitSeconds, seconds }) => [
      step,
      formatSeconds(waitSeconds),
      formatSeconds(seconds),
      share(waitSeconds + seconds),
    ]),
    ['Wait before', 'Duration', 'Share'],
  );
}

function validationTable({ validation }: Report): Html {
  if (validation.length === 0) return html`<p>No validation ran.</p>`;
  const verdicts = { passed: good('passed'), failed: bad('failed'), unknown: warn('unknown') };
  const order = ['failed', 'unknown', 'passed'];
  const rows = [...validation].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  return table(
    'Every bounded piece of work and its verdict; what did not pass comes first.',
    ['Verdict', 'Check', 'Subject', 'What was found', 'State', 'Took'],
    rows.map(({ verdict, check, subject, reason, step, seconds }) => [
      verdicts[verdict],
      check,
      subject,
      reason,
      step,
      seconds === undefined ? '' : formatSeconds(seconds),
    ]),
    ['Took'],
  );
}

function parityTable({ parity, timeline }: Report): Html {
  const check = timeline.find(({ step }) => step === 'CheckParity');
  if (!check) return html`<p>Parity was not checked.</p>`;
  if (parity.length === 0) return html`<p>${check.summary}</p>`;
  return table(
    check.summary,
    ['Setting', 'Source', 'Restored', 'Verdict', 'Reason'],
    parity.map(({ setting, source, candidate, expected }) => [
      setting,
      source,
      candidate,
      expected === undefined ? bad('differs') : good('expected'),
      expected ?? 'must be equal',
    ]),
  );
}

const repairTables = ({ tables, lockedSeconds, dependants }: NonNullable<Report['repair']>): Html =>
  html`${table(
    `Rows by primary key: what the copy holds won; what it does not hold was written after the restore point, and stayed. The tables were locked for ${formatSeconds(lockedSeconds)}.`,
    ['Table', 'Rows put back', 'Rows changed', 'Newer rows kept', 'Made anew'],
    tables.map((each) => [each.table, each.putBack, each.changed, each.kept, each.recreated ? 'it was gone' : 'no']),
    ['Rows put back', 'Rows changed', 'Newer rows kept'],
  )}${
    dependants.length === 0
      ? html`<p>Nothing depends on them.</p>`
      : table(
          'What depends on them, in both directions.',
          ['Dependant', 'Finding'],
          dependants.map(({ dependant, finding }) => [dependant, finding]),
        )
  }`;

const debtTable = (debt: NonNullable<Report['terraformDebt']>): Html =>
  table(
    'What Terraform still believes, and would put back: to be paid by people before anybody applies.',
    ['What', 'To do'],
    debtInWords(debt).map(({ what, todo }) => [what, todo]),
  );

function checklistTable({ checklist }: Report): Html {
  const states: Record<ChecklistItem['state'], Html> = {
    done: good('done'),
    'not-done': bad('not done'),
    open: html`<span class="open">☐ open</span>`,
    'not-applicable': html`<span class="open">– not applicable</span>`,
  };
  return table(
    'Ticked from the records above.',
    ['State', 'Item', 'Basis'],
    checklist.map(({ state, item, basis }) => [states[state], item, basis]),
  );
}

const messageTable = ({ messages }: Report): Html =>
  messages.length === 0
    ? html`<p>Nobody was told anything.</p>`
    : table(
        'What people were told up to the compilation of this report; the closing message follows it.',
        ['At', 'Kind', 'Subject', 'Delivery'],
        messages.map(({ at, kind, subject, failure }) => [
          at,
          kind,
          subject,
          failure ? html`${bad('failed')} ${failure}` : good('published'),
        ]),
      );

function trend(report: Report): Html {
  const drawn = [drawTrend('RTO', report), drawTrend('RPO', report)].filter((each) => each !== undefined);
  const count = report.trend.length;
  if (drawn.length === 0) return html`<p>A trend needs two measured incidents; so far there is ${count}.</p>`;
  const succeeded = report.trend.filter((point) => point.succeeded).length;
  return html`<p>${succeeded} of the last ${count} succeeded.</p>${drawn}`;
}

function review({ review: { summary, wentWell, wentBadly, questions } }: Report): Html {
  const list = (title: string, items: readonly string[]) =>
    html`<h3>${title}</h3>${items.length === 0 ? html`<p>Nothing on record.</p>` : html`<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`}`;
  return html`<p>${summary}</p>${list('What went well', wentWell)}${list('What did not', wentBadly)}${list('To discuss', questions)}`;
}

function measurement({ by, clockFactor, facts }: NonNullable<Report['measured']>): Html {
  const clock =
    clockFactor === undefined
      ? undefined
      : html`<p>${clockFactor === 1 ? 'Every wait took as long as on AWS.' : `Waits that AWS services own ran ${clockFactor} times faster than on AWS; timestamps and work are real.`}</p>`;
  return html`<p class="soft">By ${by}, added after the incident was closed; not part of the chain of evidence.</p>${clock}${table(
    'Measured',
    ['What', 'Value', 'Note'],
    facts.map(({ label, value, note }) => [label, value, note]),
    ['Value'],
  )}`;
}

function evidence({ timeline, chain }: Report): Html {
  const rows = timeline
    .filter(({ piece }) => piece === undefined)
    .map(({ step, status, startedAt, attempts, summary, error, facts }) => [
      step,
      status === 'succeeded' ? good(status) : bad(status),
      startedAt,
      attempts,
      html`${summary}${error ? html`<br><b>${error.name}</b> ${error.next}` : undefined}${
        Object.keys(facts).length > 0
          ? html`<details><summary>Facts</summary><pre>${JSON.stringify(facts, undefined, 1)}</pre></details>`
          : undefined
      }`,
    ]);
  return html`${table('Every step as it was recorded.', ['Step', 'Status', 'Started', 'Attempts', 'What happened'], rows, ['Attempts'])}
<p>A SHA-256 chain runs over the ${chain.length} records of report.json; the last link is <code>${chain.at(-1)?.sha256}</code>.</p>`;
}
