// What Beast, a proxy or an attacker may send: framing of HTTP/1.1 over real sockets.
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';

import {RawConnection, exchange, request} from './support/raw.mjs';
import {start_server} from './support/server.mjs';

let server, token;
before(async () => {
  server = await start_server();
  token = await server.token('notes:rw');
});
after(async () => { await server?.stop(); });

const base = (more = {}) => ({Host: server.authority, Authorization: `Bearer ${token}`, ...more});
const path = (name) => `/storage/me/notes/${name}`;
const get = (name, more) => request('GET', path(name), base(more));
const put = (name, body, more) => request('PUT', path(name),
  base({'Content-Type': 'text/plain', 'Content-Length': Buffer.byteLength(body), ...more}), body);

async function stored(name) {
  const answer = await exchange(server.port, get(name));
  answer.connection.close();
  return answer.status === 200 ? answer.body.toString() : answer.status;
}

// The bytes get one refusal, the connection closes, and what followed them is never taken for a request.
async function refused(bytes, {statuses = [400], name} = {}) {
  const connection = await RawConnection.open(server.port);
  connection.send(bytes);
  const answer = await connection.response();
  assert.ok(statuses.includes(answer.status), `status ${answer.status}`);
  connection.send(put('smuggled', 'x'));
  const rest = await connection.rest(60_000);
  assert.notEqual(rest, null, 'the connection stays open');
  assert.equal(rest, '', 'something more was answered');
  connection.close();
  assert.equal(await stored('smuggled'), 404);
  if (name) assert.equal(await stored(name), 404);
}

describe('lengths', () => {
  const chunk = '5\r\nhello\r\n0\r\n\r\n';
  const put_with = (name, headers, body) => request('PUT', path(name),
    base({'Content-Type': 'text/plain', ...headers}), body);

  test('both length headers are refused', async () => {
    await refused(put_with('both', {'Content-Length': 5, 'Transfer-Encoding': 'chunked'}, chunk), {name: 'both'});
    await refused(put_with('both', {'Transfer-Encoding': 'chunked', 'Content-Length': chunk.length}, chunk),
      {name: 'both'});
  });

  test('a smuggled request behind both length headers is not answered', async () => {
    const inner = put('smuggled', 'inner');
    await refused(put_with('outer', {'Content-Length': 5 + inner.length, 'Transfer-Encoding': 'chunked'},
      `0\r\n\r\n${inner}`), {name: 'outer'});
  });

  for (const [what, lengths] of [['two that differ', ['5', '6']], ['a list that differs', ['5, 6']],
    ['a sign', ['+5']], ['a negative', ['-5']], ['hexadecimal', ['0x5']], ['an exponent', ['5e0']],
    ['letters', ['five']], ['nothing', ['']], ['a fraction', ['5.0']],
    ['more than 64 bits', ['18446744073709551621']], ['inner space', ['5 5']]]) {
    test(`Content-Length with ${what} is refused`, async () => {
      const statuses = what === 'more than 64 bits' ? [400, 413] : [400];
      await refused(put_with('length', {'Content-Length': lengths}, 'hello'), {statuses, name: 'length'});
    });
  }

  for (const coding of ['identity', 'gzip', 'xchunked', 'chunked, identity', 'chunked, chunked', 'chunkedd']) {
    test(`Transfer-Encoding: ${coding} is refused`, async () => {
      await refused(put_with('coding', {'Transfer-Encoding': coding}, chunk), {statuses: [400, 501], name: 'coding'});
    });
  }

  for (const [what, bytes] of [['letters', 'zz\r\nhello\r\n0\r\n\r\n'], ['a sign', '-5\r\nhello\r\n0\r\n\r\n'],
    ['a plus', '+5\r\nhello\r\n0\r\n\r\n'], ['0x', '0x5\r\nhello\r\n0\r\n\r\n'], ['nothing', '\r\nhello\r\n0\r\n\r\n'],
    ['more than 64 bits', '10000000000000005\r\nhello\r\n0\r\n\r\n'], ['too little', '4\r\nhello\r\n0\r\n\r\n'],
    ['leading space', ' 5\r\nhello\r\n0\r\n\r\n']]) {
    test(`a chunk size with ${what} is refused`, async () => {
      await refused(put_with('chunk', {'Transfer-Encoding': 'chunked'}, bytes), {statuses: [400, 413], name: 'chunk'});
    });
  }

  test('chunks with extensions and trailers are a legal upload', async () => {
    const answer = await exchange(server.port, put_with('chunked', {'Transfer-Encoding': 'chunked'},
      '5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: y\r\n\r\n'));
    assert.equal(answer.status, 201);
    answer.connection.close();
    assert.equal(await stored('chunked'), 'hello world');
  });

  test('an empty body is a legal document, chunked and not', async () => {
    for (const [name, bytes] of [['empty-1', put('empty-1', '')],
      ['empty-2', put_with('empty-2', {'Transfer-Encoding': 'chunked'}, '0\r\n\r\n')]]) {
      const answer = await exchange(server.port, bytes);
      assert.equal(answer.status, 201, name);
      assert.match(answer.headers.etag, /^"[^"]+"$/);
      answer.connection.close();
      assert.equal(await stored(name), '');
    }
  });
});

describe('heads', () => {
  test('two Hosts are refused', async () => {
    await refused(request('GET', path('x'), {Host: [server.authority, server.authority]}));
    await refused(request('GET', path('x'), {Host: [server.authority, 'example.com']}));
  });
  test('no Host is refused', async () => { await refused('GET / HTTP/1.1\r\n\r\n'); });

  for (const [what, bytes] of [
    ['no version', 'GET /\r\nHost: x\r\n\r\n'], ['an unknown version', 'GET / HTTP/9.9\r\nHost: x\r\n\r\n'],
    ['a space before the colon', 'GET / HTTP/1.1\r\nHost : x\r\n\r\n'],
    ['a NUL in a header', 'GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n'],
    ['a header without colon', 'GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n'],
    ['spaces in the target', 'GET /a b HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['TLS', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n'], ['binary noise', '\x01\x02\xff\xfe\r\n\r\n\r\n']]) {
    test(`${what}: refused or closed, and the server lives`, async () => {
      const connection = await RawConnection.open(server.port);
      connection.send(Buffer.from(bytes, 'latin1'));
      try {
        const answer = await connection.response();
        assert.ok(answer.status >= 400 && answer.status < 600, `status ${answer.status}`);
      } catch (error) {
        if (error.code !== 'CUT' || !connection.closed) throw error;
      }
      assert.notEqual(await connection.rest(60_000), null, 'the connection stays open');
      connection.close();
      assert.equal(await stored('never-there'), 404);
    });
  }

  test('a header flood is refused', async () => {
    const many = Array.from({length: 100_000}, (_, n) => `X-${n}: ${n}`).join('\r\n');
    for (const flood of [many, `X: ${'a'.repeat(4 << 20)}`]) {
      const connection = await RawConnection.open(server.port);
      connection.send(`GET ${path('x')} HTTP/1.1\r\nHost: ${server.authority}\r\n${flood}\r\n\r\n`);
      const answer = await connection.response().catch((error) => {
        if (error.code !== 'CUT' || !connection.closed) throw error;
        return {status: 431};  // closed while we were still sending: the answer can be lost on the way
      });
      assert.ok([400, 413, 431].includes(answer.status), `status ${answer.status}`);
      assert.notEqual(await connection.rest(60_000), null);
      connection.close();
    }
  });

  test('a URL flood is refused', async () => {
    const connection = await RawConnection.open(server.port);
    connection.send(request('GET', path('a'.repeat(1 << 20)), base()));
    const answer = await connection.response().catch((error) => {
      if (error.code !== 'CUT' || !connection.closed) throw error;
      return {status: 414};
    });
    assert.ok([400, 414, 431].includes(answer.status), `status ${answer.status}`);
    connection.close();
  });

  test('methods that are none of ours get 405 with Allow, and their body is not taken for a request', async () => {
    for (const method of ['POST', 'PATCH']) {
      const answer = await exchange(server.port, request(method, path('posted'),
        base({'Content-Type': 'text/plain', 'Content-Length': 5}), 'hello'));
      assert.equal(answer.status, 405, method);
      assert.match(answer.headers.allow, /GET/);
      assert.match(answer.headers.allow, /PUT/);
      assert.match(answer.headers.allow, /DELETE/);
      answer.connection.close();
    }
    assert.equal(await stored('posted'), 404);
    const connection = await RawConnection.open(server.port);
    const inner = put('smuggled', 'x');
    connection.send(request('POST', path('posted'), base({'Content-Length': Buffer.byteLength(inner)}), inner));
    assert.equal((await connection.response()).status, 405);
    connection.finish();
    assert.equal(await connection.rest(60_000), '');
    assert.equal(await stored('smuggled'), 404);
  });

  test('unknown methods get an answer', async () => {
    for (const method of ['BREW', 'TRACE', 'PROPFIND', 'X'.repeat(200)]) {
      const answer = await exchange(server.port, request(method, path('x'), base()));
      assert.ok([400, 405, 501].includes(answer.status), `${method}: ${answer.status}`);
      answer.connection.close();
    }
  });

  test('HTTP/1.0 is answered and closed', async () => {
    await exchange(server.port, put('old', 'body')).then(({connection}) => connection.close());
    const connection = await RawConnection.open(server.port);
    connection.send(`GET ${path('old')} HTTP/1.0\r\nHost: ${server.authority}\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    const answer = await connection.response();
    assert.equal(answer.status, 200);
    assert.equal(answer.body.toString(), 'body');
    assert.equal(await connection.rest(60_000), '');
  });

  test('the absolute form of the target works', async () => {
    await exchange(server.port, put('absolute', 'body')).then(({connection}) => connection.close());
    const answer = await exchange(server.port, request('GET', `${server.origin}${path('absolute')}`, base()));
    assert.equal(answer.status, 200);
    answer.connection.close();
  });

  test('Connection: close is honoured', async () => {
    const answer = await exchange(server.port, get('nothing', {Connection: 'close'}));
    assert.equal(answer.status, 404);
    assert.equal(await answer.connection.rest(60_000), '');
  });
});

describe('one connection', () => {
  test('pipelined requests are answered in order, whatever they are', async () => {
    const connection = await RawConnection.open(server.port);
    const script = [];
    for (let n = 0; n < 40; ++n) {
      const name = `pipe-${n}`;
      script.push([put(name, `body ${n}`), 'PUT', 201], [get(name), 'GET', 200, `body ${n}`],
        [request('HEAD', path(name), base()), 'HEAD', 200], [get(`${name}-none`), 'GET', 404],
        [request('OPTIONS', path(name), {Host: server.authority, Origin: 'http://a.example',
          'Access-Control-Request-Method': 'PUT'}), 'OPTIONS', [200, 204]],
        [request('DELETE', path(name), base()), 'DELETE', 200], [get(name), 'GET', 404]);
    }
    connection.send(script.map(([bytes]) => bytes).join(''));
    for (const [index, [, method, expected, body]] of script.entries()) {
      const answer = await connection.response({method});
      assert.ok([expected].flat().includes(answer.status), `answer ${index}, ${method}: ${answer.status}`);
      if (body) assert.equal(answer.body.toString(), body);
      if (method === 'HEAD') assert.ok(Number(answer.headers['content-length']) > 0);
    }
    assert.equal(connection.unread(), 0);
    connection.close();
  });

  test('a request in single bytes is a request', async () => {
    const connection = await RawConnection.open(server.port);
    for (const byte of put('slow', 'one byte at a time')) await connection.send_all(byte);
    assert.equal((await connection.response()).status, 201);
    connection.close();
    assert.equal(await stored('slow'), 'one byte at a time');
  });

  test('a client that half-closes after its request gets the answer', async () => {
    const connection = await RawConnection.open(server.port);
    connection.send(put('half', 'x'));
    connection.finish();
    assert.equal((await connection.response()).status, 201);
    connection.close();
  });

  test('Expect: 100-continue gets 100, then the answer', async () => {
    const connection = await RawConnection.open(server.port);
    connection.send(request('PUT', path('expected'), base({'Content-Type': 'text/plain', 'Content-Length': 5,
      Expect: '100-continue'})));
    assert.equal((await connection.response()).status, 100);
    connection.send('hello');
    assert.equal((await connection.response()).status, 201);
    connection.close();
    assert.equal(await stored('expected'), 'hello');
  });

  test('an absurd Expect: 100-continue upload is refused without the 100', async () => {
    for (const length of [2 ** 50, 2 ** 62]) {
      const connection = await RawConnection.open(server.port);
      connection.send(request('PUT', path('absurd'), base({'Content-Type': 'text/plain',
        'Content-Length': BigInt(length), Expect: '100-continue'})));
      const answer = await connection.response();
      assert.ok([413, 507].includes(answer.status), `status ${answer.status}`);
      connection.close();
    }
    assert.equal(await stored('absurd'), 404);
  });

  test('an absurd upload without Expect is refused before its body', async () => {
    const connection = await RawConnection.open(server.port);
    connection.send(request('PUT', path('absurd'), base({'Content-Type': 'text/plain',
      'Content-Length': BigInt(2 ** 50)}), 'the first bytes'));
    assert.ok([413, 507].includes((await connection.response()).status));
    assert.notEqual(await connection.rest(60_000), null, 'the connection cannot be used any more, so it closes');
    connection.close();
  });

  test('an unauthorised Expect upload is refused without the 100', async () => {
    const connection = await RawConnection.open(server.port);
    connection.send(request('PUT', path('unauthorised'), {Host: server.authority, 'Content-Type': 'text/plain',
      'Content-Length': 5, Expect: '100-continue'}));
    assert.equal((await connection.response()).status, 401);
    connection.close();
  });
});
