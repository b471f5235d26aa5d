/** What steps that follow a plan, and those that work on the restored copy, receive. */
import { Candidate, RestorePlan } from '../core/database/contracts.ts';
import { StepInput } from './handler.ts';

export const PlanInput = StepInput.extend({ plan: RestorePlan });
export const CandidateInput = PlanInput.extend({ candidate: Candidate });
