import * as z from 'zod';
import { checkConfiguration } from '../../core/backup/check-configuration.ts';
import { regionFacts } from '../adapters/aws/region-facts.ts';
import { parameters } from '../adapters/aws/ssm.ts';
import { makePart, PartInput } from '../part.ts';

const Input = PartInput.extend({
  images: z.array(z.string()).nullable(),
  unresolved: z.array(z.string()).nullable(),
});

export const handler = makePart(Input, (input, rt) =>
  checkConfiguration(input, { ...rt, parameters: parameters(rt), facts: regionFacts }),
);
