import { DatabaseSignal, triageAlarm } from '../../core/incident/triage-alarm.ts';
import { triagePorts } from '../adapters/triage-ports.ts';
import { makeHandler } from '../handler.ts';

export const handler = makeHandler(DatabaseSignal, (signal, rt) => triageAlarm(signal, triagePorts(rt)));
