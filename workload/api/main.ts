#!/usr/bin/env node
/** The STOCKER API as a container runs it. Reads its database endpoint and credentials once, at start: a restart picks up a cut-over. */
import { readFileSync } from 'node:fs';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { Pool } from 'pg';
import { createApi } from './server.ts';

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`The environment variable ${name} is missing.`);
  return value;
}

const { Parameter } = await new SSMClient({}).send(
  new GetParameterCommand({ Name: required('DATABASE_ENDPOINT_PARAMETER') }),
);
const { SecretString } = await new SecretsManagerClient({}).send(
  new GetSecretValueCommand({ SecretId: required('DATABASE_SECRET') }),
);
const endpoint = Parameter?.Value?.startsWith('{')
  ? (JSON.parse(Parameter.Value) as { address: string; port: number })
  : undefined;
const { username, password } = JSON.parse(SecretString ?? '{}') as { username: string; password: string };

// Without, the authorities that this machine's Node trusts.
const authority = process.env.DATABASE_CA_FILE;

// A canary outside of a drill has no database: it answers, and is not ready.
const pool = endpoint
  ? new Pool({
      host: endpoint.address,
      port: endpoint.port,
      database: required('DATABASE_NAME'),
      user: username,
      password,
      max: 8,
      connectionTimeoutMillis: 2000,
      ssl: authority === undefined ? true : { ca: readFileSync(authority, 'utf8') },
    })
  : undefined;
// An idle connection that breaks is not the end of the process; the next request meets the error.
pool?.on('error', () => undefined);

createApi(pool).listen(Number(required('PORT')), '127.0.0.1');
