/** In the bundle, in the place of node:http, which as an ES module reads all that it exports: a fetch of its own among it, 50 ms of each cold start. */
module.exports = require('http');
