// The server under test: meshstow, or, to check the tests themselves, what the module in
// MESHSTOW_WEB_SERVER starts (support/armadietto.mjs is one; its known faults fail some tests).
import path from 'node:path';

import {Meshstow} from './meshstow.mjs';

const other = process.env.MESHSTOW_WEB_SERVER;

export async function start_server(options) {
  if (!other) return Meshstow.start(options);
  return (await import(path.resolve(other))).start(options);
}

// For tests of what only meshstow promises.
export const only_meshstow = {skip: other ? 'only meshstow promises this' : false};
