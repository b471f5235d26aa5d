/** Tears a drill down outside its machine. In a module of its own, loaded when needed: RDS and SSM are large clients. */
import { tearDown } from '../../../core/database/tear-down.ts';
import type { TornDown } from '../../../core/incident/clean-up-stopped.ts';
import type { IncidentRecord } from '../../../core/incident/contracts.ts';
import { environmentTag, incidentTag } from '../../../core/incident/identifiers.ts';
import type { Runtime } from '../../handler.ts';
import { controlStore } from './control-store.ts';
import { databases } from './rds.ts';
import { parameters } from './ssm.ts';

/** Throws DeletionRefused, or what AWS failed at. */
export async function tearDownDrill({ incident }: IncidentRecord, rt: Runtime): Promise<TornDown> {
  const ports = {
    settings: rt.settings,
    control: controlStore(rt),
    databases: databases(rt),
    parameters: parameters(rt),
  };
  const { summary, facts } = await tearDown({ incident }, ports);
  return { summary, deleted: facts?.deletion === 'started' };
}

/** The incidents whose tag the copies bear that are there now. */
export async function ownersOfCopies(rt: Runtime): Promise<string[]> {
  const copies = await databases(rt).list(rt.settings.database.drillPrefix);
  const ours = copies.filter(({ tags }) => tags[environmentTag] === rt.settings.environment);
  return ours.flatMap(({ tags }) => tags[incidentTag] ?? []);
}
