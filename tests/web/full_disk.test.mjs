// The disk gets full in the middle of writes: they are refused, nothing of them stays, reads go on, and once there is
// room again everything is as before. On a small file system in memory, so it needs a user who may mount one.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import {after, before, describe, test} from 'node:test';

import {eventually, small_disk, unmount} from './support/processes.mjs';
import {RawConnection, exchange, request} from './support/raw.mjs';
import {only_meshstow, start_server} from './support/server.mjs';

const kMib = 1 << 20;
const kDiskMib = 48;
const folder = only_meshstow.skip ? null : small_disk('disk', kDiskMib);
const skip = only_meshstow.skip || (folder ? false : 'this user may not mount a file system');

describe('a full disk', {skip}, () => {
  let server, token;
  const kept = 'k'.repeat(3 * kMib);
  before(async () => {
    server = await start_server({folder});
    token = await server.token('*:rw');
    assert.equal((await put('kept', kept)).status, 201);
    assert.equal((await put('folder/small', 'small')).status, 201);
  });
  after(async () => {
    await server?.stop_serving();
    unmount(folder);
  });

  const target = (name) => `/storage/me/notes/${name}`;
  const headers = (more) => ({Host: server.authority, Authorization: `Bearer ${token}`, 'Content-Type': 'text/plain', ...more});
  async function ask(method, name, more = {}, body = '') {
    const answer = await exchange(server.port, request(method, target(name), headers(more), body), {method});
    answer.connection.close();
    return answer;
  }
  const put = (name, body, more) => ask('PUT', name, {'Content-Length': body.length, ...more}, body);
  const list = async (name = '') => Object.keys(JSON.parse((await ask('GET', name)).body.toString()).items).sort();

  // What somebody else puts on the same disk: all that is left, or all but so much.
  const filler = folder && path.join(folder, 'filler');
  function fill(leave = 0) {
    const {bavail, bsize} = fs.statfsSync(folder);
    const size = Math.max(0, bavail * bsize - leave);
    const file = fs.openSync(filler, 'a');
    const piece = Buffer.alloc(kMib, 1);
    try {
      for (let at = 0; at < size; at += piece.length) fs.writeSync(file, piece, 0, Math.min(piece.length, size - at));
    } catch (error) { if (error.code !== 'ENOSPC') throw error; } finally { fs.closeSync(file); }
  }
  const make_room = () => fs.rmSync(filler, {force: true});

  async function nothing_changed() {
    assert.deepEqual(await list(), ['folder/', 'kept']);
    const read = await ask('GET', 'kept');
    assert.equal(read.status, 200);
    assert.ok(read.body.toString() === kept, 'the bytes are those that were stored');
    assert.equal((await ask('GET', 'folder/small')).body.toString(), 'small');
  }

  // What a refused upload left is cleared away in the first quiet moment.
  async function writable_again() {
    await eventually(async () => (await put('after', 'a'.repeat(kMib))).status < 300, 'room');
    assert.equal((await ask('DELETE', 'after')).status, 200);
  }

  // A chunked upload that goes on until it is answered.
  async function endless(name, more = {}, between = () => {}) {
    const connection = await RawConnection.open(server.port);
    connection.send(request('PUT', target(name), headers({'Transfer-Encoding': 'chunked', ...more})));
    for (let n = 0; n < 4 * kDiskMib && !connection.closed && !connection.unread(); ++n) {
      // Random bytes: what repeats itself takes no room.
      await connection.send_all(`${(2 * kMib).toString(16)}\r\n${crypto.randomBytes(kMib).toString('hex')}\r\n`);
      between(n);
    }
    const answer = await connection.response();
    connection.close();
    return answer;
  }

  test('an upload of more than the disk has: 507 at once if announced, else in mid-stream', async () => {
    const announced = await ask('PUT', 'large', {'Content-Length': 2 * kDiskMib * kMib, Expect: '100-continue'});
    assert.equal(announced.status, 507);
    assert.equal((await endless('large')).status, 507);
    assert.equal((await endless('kept', {'If-Match': '*'})).status, 507);
    await nothing_changed();
    await writable_again();
  });

  test('a disk that others fill in mid-write: 507, nothing half-stored, reads go on, writable again', async () => {
    assert.equal((await endless('large', {}, (n) => { if (n === 3) fill(); })).status, 507);
    await nothing_changed();
    make_room();
    await server.command('compact');  // else the file has room inside it
    fill();
    const refused = [];
    for (let n = 0; n < 8; ++n) {
      const answer = await put(`full-${n}`, crypto.randomBytes(100_000).toString('hex'));
      if (answer.status === 507) refused.push(n); else assert.equal(answer.status, 201);
      assert.equal((await ask('GET', 'folder/small')).status, 200);
    }
    assert.ok(refused.length > 0, 'the disk was full');
    for (let n = 0; n < 8; ++n) {
      assert.equal((await ask('GET', `full-${n}`)).status, refused.includes(n) ? 404 : 200);
    }
    make_room();
    await writable_again();
    for (let n = 0; n < 8; ++n) {
      assert.equal((await put(`full-${n}`, `room ${n}`)).status, refused.includes(n) ? 201 : 200);
      assert.equal((await ask('DELETE', `full-${n}`)).status, 200);
    }
    await nothing_changed();
  });

  test('writers at once on a disk that is nearly full: each is stored whole or refused', async () => {
    await server.command('compact');
    fill((kDiskMib / 2 + 2) * kMib);  // half of a small disk is kept back
    const bodies = Array.from({length: 24}, (_, n) => crypto.randomBytes(70_000 + n).toString('hex'));
    const statuses = await Promise.all(bodies.map(async (body, n) => (await put(`many/${n}`, body)).status));
    assert.ok(statuses.includes(507), `${statuses}`);
    for (const [n, status] of statuses.entries()) {
      assert.ok([201, 507].includes(status), `${status}`);
      const read = await ask('GET', `many/${n}`);
      assert.equal(read.status, status === 201 ? 200 : 404);
      if (status === 201) assert.ok(read.body.toString() === bodies[n]);
    }
    make_room();
    for (const n of bodies.keys()) await ask('DELETE', `many/${n}`);
    await nothing_changed();
  });

  test('killed while the disk is full, it starts again with all that it had', async () => {
    fill();
    const uploading = endless('large').catch((error) => error);
    await put('small', 'x');
    await server.kill();
    await uploading;
    make_room();
    await server.serve();
    await ask('DELETE', 'small');
    await nothing_changed();
    const report = await server.command('check');
    assert.equal(report.whole, true, JSON.stringify(report.damages));
  });
});
