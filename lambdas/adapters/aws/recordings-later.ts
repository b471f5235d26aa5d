/** Recordings of zones for functions whose other clients leave S3 no room: its client is large, and loaded when it is asked. */
import type { ZoneRecordings } from '../../../core/configuration/ports.ts';
import type { Runtime } from '../../handler.ts';

export function recordingsLater(rt: Pick<Runtime, 'settings' | 'here'>): ZoneRecordings {
  const loaded = async () => (await import('./zone-recordings.ts')).zoneRecordings(rt);
  return {
    keep: async (of, recording) => (await loaded()).keep(of, recording),
    newest: async (of, before) => (await loaded()).newest(of, before),
    read: async (location) => (await loaded()).read(location),
  };
}
