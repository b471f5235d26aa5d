/**
 * In the bundle, in the place of node:http: an ES module that imports that one reads every export of it, and its
 * WebSocket loads undici, some 40 ms of every cold start.
 */
module.exports = process.getBuiltinModule('node:http');
