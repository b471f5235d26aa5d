import * as z from 'zod';
import { PlanReport, Where } from '../../core/cluster/contracts.ts';
import { Looked } from '../../core/configuration/contracts.ts';
import { judgeFindings } from '../../core/configuration/judge-findings.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { makeStep, StepInput } from '../handler.ts';

const Input = StepInput.extend({ where: Where, looked: Looked, report: PlanReport, after: z.boolean().optional() });

export const handler = makeStep(Input, incidentStore, async (input, rt) => judgeFindings(input, rt));
