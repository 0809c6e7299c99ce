// TLS from outside: what an idle connection costs, and streams of every size both ways.
// MESHSTOW_WEB_IDLE_TLS: number of idle connections (default 1,500).
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import {after, before, describe, test} from 'node:test';

import {make_certificate} from './support/certificate.mjs';
import {free_port, open_file_limit, pause} from './support/processes.mjs';
import {RawConnection, request} from './support/raw.mjs';
import {only_meshstow, start_server} from './support/server.mjs';

const kIdle = Number(process.env.MESHSTOW_WEB_IDLE_TLS ?? 1_500);
const kMib = 1024 * 1024;

describe('TLS', only_meshstow, () => {
  let server, token, port, ca;
  before(async () => {
    server = await start_server();
    token = await server.token('notes:rw');
    const made = await make_certificate();
    ca = made.ca;
    port = await free_port();
    await server.stop_serving();
    server.flags = ['--https', `127.0.0.1:${port}`, '--cert', made.certificate, '--key', made.key];
    await server.serve();
  });
  after(async () => { await server?.stop(); });

  const open = (more) => RawConnection.open(port, {ca, ...more});
  const headers = (more) => ({Host: `127.0.0.1:${port}`, Authorization: `Bearer ${token}`, 'Content-Type': 'a/b', ...more});
  const target = (name) => `/storage/me/notes/${name}`;

  test('an idle connection costs under 16 KiB, and others are served', async (t) => {
    const count = Math.min(kIdle, open_file_limit(server.pid) - 200, open_file_limit(process.pid) - 200);
    const get = request('GET', target('none'), headers());
    const ask = async (connection) => {
      connection.send(get);
      assert.equal((await connection.response()).status, 404);
      return connection;
    };
    (await ask(await open())).close();
    await pause(500);
    const before = server.resident_kib();
    const idle = [];
    while (idle.length < count) {
      const some = await Promise.all(Array.from({length: Math.min(50, count - idle.length)}, () => open()));
      idle.push(...await Promise.all(some.map(ask)));
    }
    await pause(2000);
    const each = (server.resident_kib() - before) / count;
    t.diagnostic(`${count} between requests: ${each.toFixed(2)} KiB each`);
    for (const connection of idle.slice(0, 50)) await ask(connection);
    (await ask(await open())).close();
    for (const connection of idle) connection.close();
    assert.ok(each < 16, `${each} KiB`);
  });

  test('documents of every size go both ways, over TLS 1.2 and 1.3', async () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
      const connection = await open({maxVersion});
      for (const size of [0, 1, 1000, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 300_000, 8 * kMib]) {
        const body = crypto.randomBytes(size);
        connection.send(request('PUT', target(`size${size}`), headers({'Content-Length': size})));
        // In pieces that fit into no record.
        for (let at = 0; at < size; at += 10_007) await connection.send_all(body.subarray(at, at + 10_007));
        assert.ok([200, 201].includes((await connection.response()).status), `${size}`);
        connection.send(request('GET', target(`size${size}`), headers()));
        const answer = await connection.response();
        assert.equal(answer.status, 200);
        assert.ok(body.equals(answer.body), `${size} bytes`);
      }
      connection.close();
    }
  });

  test('a slow reader gets all of it, and others are served meanwhile', async () => {
    const body = crypto.randomBytes(8 * kMib);
    const put = await open();
    put.send(request('PUT', target('slow'), headers({'Content-Length': body.length})));
    await put.send_all(body);
    assert.ok((await put.response()).status < 300);
    const slow = await open();
    slow.socket.pause();
    slow.send(request('GET', target('slow'), headers()) + request('GET', target('none'), headers()));
    await pause(1000);
    put.send(request('GET', target('none'), headers()));
    assert.equal((await put.response()).status, 404);
    slow.socket.resume();
    assert.ok(body.equals((await slow.response()).body));
    assert.equal((await slow.response()).status, 404, 'pipelined');
    slow.close();
    put.close();
  });

  test('clients that vanish in the handshake or in a request leave nothing behind', async () => {
    for (let i = 0; i < 50; ++i) {
      const raw = await RawConnection.open(port);
      raw.send(Buffer.from('16030100050100000100', 'hex'));
      raw.close();
      const half = await open();
      half.send(request('PUT', target('half'), headers({'Content-Length': 1_000_000})) + 'x'.repeat(200_000));
      half.socket.destroy();
    }
    const last = await open();
    last.send(request('GET', target('half'), headers()));
    assert.equal((await last.response()).status, 404);
    last.close();
  });

  test('the end of an answer is told, not cut', async () => {
    const connection = await open();
    connection.send(request('GET', target('none'), headers({Connection: 'close'})));
    assert.equal((await connection.response()).status, 404);
    assert.equal(await connection.rest(), '');
    assert.equal(connection.error, undefined);
  });
});
