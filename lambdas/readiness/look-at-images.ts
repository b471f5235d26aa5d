import { lookAtImages } from '../adapters/readiness/images.ts';
import { makeLook } from '../look.ts';

export const handler = makeLook('images', lookAtImages);
