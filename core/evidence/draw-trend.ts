/** How the objectives were met over the last drills: one small line each, with the objective above it. */
import { formatSeconds } from '../incident/moments.ts';
import type { ObjectiveResult, Report } from './contracts.ts';
import { type Html, html } from './html.ts';

const width = 300;
const height = 72;
const margin = 8;

/** Undefined where fewer than two incidents measured the objective: one point is no trend. */
export function drawTrend(name: ObjectiveResult['name'], { trend, objectives }: Report): Html | undefined {
  const objective = objectives.find((each) => each.name === name)?.objectiveSeconds ?? 0;
  const points = trend.flatMap(({ closedAt, rtoSeconds, rpoSeconds }) => {
    const seconds = name === 'RTO' ? rtoSeconds : rpoSeconds;
    return seconds === undefined ? [] : [{ closedAt, seconds }];
  });
  const latest = points.at(-1);
  if (points.length < 2 || !latest) return undefined;
  const highest = Math.max(...points.map(({ seconds }) => seconds), 0.001);
  const x = (index: number) => Math.round(margin + (index / (points.length - 1)) * (width - 2 * margin));
  const y = (seconds: number) => Math.round(height - margin - (seconds / highest) * (height - 2 * margin));
  const path = points.map(({ seconds }, index) => `${x(index)},${y(seconds)}`).join(' ');
  const label = `${name} of the last ${points.length}: ${points.map(({ seconds }) => formatSeconds(seconds)).join(', ')}`;
  return html`<figure><svg class="spark" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
${objective <= highest ? html`<line class="objective" x1="0" x2="${width}" y1="${y(objective)}" y2="${y(objective)}"/>` : undefined}
<polyline points="${path}"/>
${points.map(({ closedAt, seconds }, index) => html`<circle cx="${x(index)}" cy="${y(seconds)}" r="3"><title>${closedAt}: ${formatSeconds(seconds)}</title></circle>`)}
</svg><figcaption>${name}, last ${points.length}: now ${formatSeconds(latest.seconds)}, objective ${formatSeconds(objective)}</figcaption></figure>`;
}
