/** In the bundle, in the place of pg's index, which draws in a pool and a binding to libpq: a step opens its own session. */
exports.Client = require('../../../node_modules/pg/lib/client.js');
