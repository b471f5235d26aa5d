/**
 * In the bundle, in the place of node:http, which as an ES module reads all that it exports: a fetch of its own among it,
 * 50 ms of each cold start.
 */
// biome-ignore lint/style/useNodejsImportProtocol: as node:http it would be this file again
module.exports = require('http');
