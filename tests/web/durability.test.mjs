// Mixed load at 64 connections while the server is killed again and again: what it acknowledged is there, whole.
//
// MESHSTOW_WEB_LOAD_SECONDS: how long (60 by default; 600 by hand). It is killed every third of a minute, or six
// times where that is less.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {Load} from './support/load.mjs';
import {pause} from './support/processes.mjs';
import {start_server} from './support/server.mjs';

const kSeconds = Number(process.env.MESHSTOW_WEB_LOAD_SECONDS ?? 60);
const kKillEvery = Math.min(20, kSeconds / 6);

let server;
before(async () => { server = await start_server(); });
after(async () => { await server?.stop(); });

test(`${kSeconds} s of mixed load with kill -9 every ${kKillEvery} s lose no acknowledged write`, async (t) => {
  const load = new Load(server, await server.token('load:rw'), 64);
  const end = Date.now() + kSeconds * 1000;
  let kills = 0;
  while (Date.now() < end && load.faults.length === 0) {
    await pause(kKillEvery * 1000);
    await server.kill();
    await server.serve();
    ++kills;
  }
  await pause(1000);
  await load.stop();
  t.diagnostic(`${kills} kills; ${JSON.stringify(load.counts)}`);
  assert.deepEqual(await load.verify(), []);
  assert.ok(load.counts.puts > 0 && load.counts.gets > 0);
});
