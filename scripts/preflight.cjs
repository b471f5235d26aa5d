/*
 * Runs before every npm script, under whatever Node the machine has: says what is missing before anything else fails.
 * npm puts node_modules/.bin first, so `node` is the pinned Node 24 where the npm package `node` could be installed.
 */
'use strict';
const needed = 24;
const major = Number(process.versions.node.split('.')[0]);

if (major < needed) {
  const install = `npm ci${Number((process.env.npm_config_user_agent || '').match(/npm\/(\d+)/)?.[1] || 0) ? '' : ' (with npm)'}`;
  console.error(
    [
      `STOCKER DR runs on Node ${needed}, Lambda's runtime; this is Node ${process.versions.node}.`,
      process.platform === 'darwin'
        ? `Install Node ${needed} or newer and try again.`
        : `Run "${install}" first: it brings Node ${needed} along. If it did and you still read this, optional dependencies or install scripts are switched off (npm config get omit, npm config get ignore-scripts).`,
    ].join('\n'),
  );
  process.exit(2);
}
