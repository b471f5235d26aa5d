/** The evidence bucket for functions that seldom keep something: S3's client is large, and loaded when it is asked. */
import type { EvidenceStore } from '../../../core/evidence/ports.ts';
import type { Runtime } from '../../handler.ts';

export function evidenceLater(rt: Pick<Runtime, 'here'>): EvidenceStore {
  return {
    location: (key) => `s3://${rt.here.evidenceBucket}/${key}`,
    put: async (...kept) => (await import('./evidence-store.ts')).evidenceStore(rt).put(...kept),
  };
}
