/** The incident's timeline as inline SVG: a bar for each step, and the lines that the RTO is read from. */
import { formatSeconds, secondsBetween } from '../incident/moments.ts';
import type { Report } from './contracts.ts';
import { type Span, spans } from './critical-path.ts';
import { type Html, html } from './html.ts';

const width = 960;
const left = 190;
const right = 84;
const rowHeight = 24;
const top = 62;

interface Scale {
  readonly seconds: number;
  x(moment: string): number;
  at(seconds: number): number;
}

export function drawTimeline({ record, timeline, generatedAt, criticalPath }: Report): Html {
  const { detectedAt } = record.incident;
  const end = record.closedAt ?? generatedAt;
  const rows = spans(timeline, end);
  const scale = makeScale(detectedAt, end);
  const height = top + rows.length * rowHeight + 12;
  const onPath = new Set(criticalPath.map(({ step }) => step));
  const summary = rows.map((row) => `${row.step} ${row.status} after ${formatSeconds(lengthOf(row))}`).join(', ');
  return html`<svg class="timeline" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="timeline-title timeline-description">
<title id="timeline-title">Timeline of the incident, in seconds since detection</title>
<desc id="timeline-description">${summary}</desc>
${ticks(scale).map((seconds) => tick(seconds, scale, height))}
${rows.map((row, index) => bar(row, top + index * rowHeight, scale, onPath.has(row.step)))}
${record.recoveredAt ? line('recovered', scale.x(record.recoveredAt), height, recoveredAt, `recovered ${formatSeconds(secondsBetween(detectedAt, record.recoveredAt))}`) : undefined}
${objectiveLine(record.objectives.rtoSeconds, scale, height)}
</svg>`;
}

function makeScale(from: string, to: string): Scale {
  const seconds = Math.max(secondsBetween(from, to), 1);
  const at = (elapsed: number) => round(left + (Math.max(0, elapsed) / seconds) * (width - left - right));
  return { seconds, at, x: (moment) => at(secondsBetween(from, moment)) };
}

const round = (value: number) => Math.round(value * 10) / 10;
const lengthOf = ({ startedAt, finishedAt }: Span) => secondsBetween(startedAt, finishedAt);

const tickSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400];

function ticks({ seconds }: Scale): number[] {
  const step = tickSteps.find((each) => seconds / each <= 8) ?? seconds;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => index * step);
}

const tick = (seconds: number, scale: Scale, height: number) =>
  html`<g class="tick"><line x1="${scale.at(seconds)}" x2="${scale.at(seconds)}" y1="${top - 6}" y2="${height}"/><text x="${scale.at(seconds)}" y="${top - 12}" text-anchor="middle">${formatSeconds(seconds)}</text></g>`;

function bar(row: Span, y: number, scale: Scale, isOnPath: boolean): Html {
  const x = scale.x(row.startedAt);
  const length = Math.max(2, round(scale.x(row.finishedAt) - x));
  const notes = [
    ...(row.pieces > 0 ? [`${row.pieces} pieces`] : []),
    ...(row.status === 'succeeded' ? [] : [row.status]),
  ];
  const mark = row.status === 'succeeded' ? '' : ' ✕';
  return html`<g class="bar ${row.status}${isOnPath ? ' path' : ''}"><text x="${left - 8}" y="${y + 15}" text-anchor="end">${row.step}${mark}</text><rect x="${x}" y="${y + 3}" width="${length}" height="${rowHeight - 8}" rx="2"><title>${row.step}: ${[formatSeconds(lengthOf(row)), ...notes].join(', ')}</title></rect><text class="length" x="${x + length + 5}" y="${y + 15}">${formatSeconds(lengthOf(row))}</text></g>`;
}

/** Labels on lines of their own: an objective that was just met stands close to the recovery. */
const objectiveAt = 14;
const recoveredAt = 32;

const line = (kind: string, x: number, height: number, labelAt: number, label: string) =>
  html`<g class="${kind}"><line x1="${x}" x2="${x}" y1="${labelAt + 4}" y2="${height}"/><text x="${x > width / 2 ? x - 5 : x + 5}" y="${labelAt}" text-anchor="${x > width / 2 ? 'end' : 'start'}">${label}</text></g>`;

/** An objective of an hour lies far beyond a drill of a minute: then there is no line to draw, and the label says where it is. */
function objectiveLine(rtoSeconds: number, scale: Scale, height: number): Html {
  const label = `RTO objective ${formatSeconds(rtoSeconds)}`;
  if (rtoSeconds <= scale.seconds) return line('objective', scale.at(rtoSeconds), height, objectiveAt, label);
  const times = Math.floor(rtoSeconds / scale.seconds);
  const beyond = times > 1 ? `${times} times the width of this picture` : 'beyond this picture';
  return html`<g class="objective"><text x="${width - 4}" y="${objectiveAt}" text-anchor="end">${label}: ${beyond} →</text></g>`;
}
