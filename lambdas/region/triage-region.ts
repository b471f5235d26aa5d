import { RegionSignal, triageRegion } from '../../core/incident/triage-alarm.ts';
import { triagePorts } from '../adapters/triage-ports.ts';
import { makeHandler } from '../handler.ts';

export const handler = makeHandler(RegionSignal, (signal, rt) => triageRegion(signal, triagePorts(rt)));
