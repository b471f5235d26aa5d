/** Tears a drill down outside its machine. In a module of its own, loaded when needed: RDS and SSM are large clients. */
import { tearDown } from '../../../core/database/tear-down.ts';
import type { IncidentRecord } from '../../../core/incident/contracts.ts';
import type { Runtime } from '../../handler.ts';
import { controlStore } from './control-store.ts';
import { databases } from './rds.ts';
import { parameters } from './ssm.ts';

/** One line about what was done; throws DeletionRefused, or what AWS failed at. */
export async function tearDownDrill({ incident }: IncidentRecord, rt: Runtime): Promise<string> {
  const ports = {
    settings: rt.settings,
    control: controlStore(rt),
    databases: databases(rt),
    parameters: parameters(rt),
  };
  const { summary } = await tearDown({ incident }, ports);
  return summary;
}
