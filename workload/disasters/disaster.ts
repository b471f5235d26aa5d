/** What happens to production in a rehearsed disaster, and who is able to do it. */
import type { Client } from 'pg';
import type { Connection } from '../infrastructure/provision.ts';

export interface Victim {
  /** A session of the master user in the application's database: what a careless person has. */
  readonly master: Client;
  /** The server's data directory and process: what only a failing host or disk reaches. */
  readonly server: { readonly directory: string; readonly pid: number | undefined };
  /** Takes the whole Region away; what only a provider's worst day does. */
  readonly goDark?: () => Promise<void>;
  readonly cluster?: {
    /** Ends all that runs on every machine, unseen by who owns these; answers their names. */
    loseNodes(): readonly string[];
    /** Deletes node groups and cluster through the API. */
    remove(): Promise<void>;
    /** Rolls out this image (repository:tag) of the application; a pod of before goes before its successor is ready. */
    deploy(image: string): Promise<void>;
  };
  /** What a person with an administrator's credentials can name. */
  readonly configuration?: {
    readonly connection: Connection;
    readonly region: string;
    /** Hosted zone and record by which clients find production, without dots at their ends. */
    readonly zone: string;
    readonly record: string;
    readonly secret: string;
    readonly service: { readonly namespace: string; readonly name: string };
    /** Runs kubectl against production's cluster; rejects where it fails. */
    kubectl(argv: readonly string[]): Promise<void>;
  };
}

export interface Disaster {
  /** What it is, in words for people. */
  readonly title: string;
  /** What is lost by it. */
  readonly loses: 'database' | 'cluster' | 'region' | 'configuration';
  /** Resolves once the damage is done and was seen to be; says what was done. */
  strike(victim: Victim): Promise<string>;
}
