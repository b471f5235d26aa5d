/** Where evidence is kept: versioned, encrypted, in the Region of the recovery. */
export interface EvidenceStore {
  /** Where an object of that key lies: `s3://bucket/key`. */
  location(key: string): string;
  put(key: string, body: string, contentType: string): Promise<void>;
}
