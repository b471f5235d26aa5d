import { lookAtTerraform } from '../adapters/readiness/terraform.ts';
import { makeLook } from '../look.ts';

export const handler = makeLook('terraform', lookAtTerraform);
