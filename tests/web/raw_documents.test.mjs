// Documents under rough treatment: names, depth, races, clients that vanish, limits, guesses of tokens.
import assert from 'node:assert/strict';
import {once} from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import {after, before, describe, test} from 'node:test';

import {pause} from './support/processes.mjs';
import {RawConnection, exchange, request} from './support/raw.mjs';
import {only_meshstow, start_server} from './support/server.mjs';

let server, token;
before(async () => {
  server = await start_server();
  token = await server.token('*:rw');
});
after(async () => { await server?.stop(); });

const target = (name) => `/storage/me/notes/${name}`;
const base = (more = {}) => ({Host: server.authority, Authorization: `Bearer ${token}`, ...more});
const text = (body, more = {}) => base({'Content-Type': 'text/plain', 'Content-Length': Buffer.byteLength(body), ...more});

async function ask(method, name, {headers = {}, body} = {}) {
  const head = body === undefined ? base(headers) : text(body, headers);
  const answer = await exchange(server.port, request(method, target(name), head, body ?? ''), {method});
  answer.connection.close();
  return answer;
}
const read = async (name) => {
  const answer = await ask('GET', name);
  return answer.status === 200 ? answer.body.toString() : answer.status;
};
const list = async (folder) => Object.keys(JSON.parse((await ask('GET', folder)).body.toString()).items);

// Either it is stored, listed and read back, or it is refused with a 4xx and nothing is there.
async function all_or_nothing(name, body) {
  const answer = await ask('PUT', name, {body});
  if (answer.status >= 200 && answer.status < 300) {
    assert.match(answer.headers.etag, /^"[^"]+"$/);
    assert.equal(await read(name), body);
  } else {
    assert.ok(answer.status >= 400 && answer.status < 500, `status ${answer.status}`);
    assert.notEqual(await read(name), body);
  }
  return answer.status;
}

describe('names and depth', () => {
  test('a 600-byte name is stored and listed', async () => {
    const name = 'n'.repeat(600);
    assert.equal(await all_or_nothing(`long/${name}`, 'long'), 201);
    assert.deepEqual(await list('long/'), [name]);
  });

  test('a name of any length is stored or refused', async () => {
    for (const length of [255, 256, 1024, 4096, 4097, 8192, 32_000]) {
      await all_or_nothing(`lengths/${'x'.repeat(length)}`, `${length}`);
    }
  });

  test('200 escaped 4-byte characters are one name', async () => {
    const name = '😀'.repeat(200);
    assert.equal(await all_or_nothing(`wide/${encodeURIComponent(name)}`, 'wide'), 201);
    assert.deepEqual(await list('wide/'), [name]);
  });

  test('1,000 folders deep: stored, listed at every depth, deleted without a trace', async () => {
    const folders = Array.from({length: 1000}, (_, n) => `d${n % 10}/`);
    const name = `${folders.join('')}document`;
    assert.equal(await all_or_nothing(`deep/${name}`, 'deep'), 201);
    for (const depth of [0, 1, 500, 999]) {
      assert.deepEqual(await list(`deep/${folders.slice(0, depth).join('')}`), [folders[depth]]);
    }
    assert.equal((await ask('DELETE', `deep/${name}`)).status, 200);
    assert.ok(!(await list('')).includes('deep/'));
  });

  test('10,000 folders deep is stored or refused', async () => {
    await all_or_nothing(`deeper/${'d/'.repeat(10_000)}document`, 'deeper');
  });

  test('names that differ in case or Unicode form are different documents', async () => {
    const names = ['Case', 'case', 'CASE', 'u\u0308', '\u00fc', 'ﬁ', 'fi', 'ß', 'ss'];
    for (const name of names) assert.equal((await ask('PUT', `forms/${encodeURIComponent(name)}`, {body: name})).status, 201);
    for (const name of names) assert.equal(await read(`forms/${encodeURIComponent(name)}`), name);
    assert.deepEqual((await list('forms/')).sort(), [...names].sort());
  });

  test('needless escapes and raw reserved characters name the same document', async () => {
    assert.equal((await ask('PUT', "same/a:b@c!d$e'f(g)h*i+j,k;l=m&n", {body: 'x'})).status, 201);
    assert.equal(await read('same/%61%3Ab%40c%21d%24e%27f%28g%29h%2Ai%2Bj%2Ck%3Bl%3Dm%26n'), 'x');
    assert.deepEqual(await list('same/'), ["a:b@c!d$e'f(g)h*i+j,k;l=m&n"]);
  });

  for (const name of ['a//b', '/a', '.', '..', '%2e', '%2E%2e', 'a/../b', 'a/%2e%2e/b', 'a%2Fb', 'a%00b', '%', '%4', '%zz', '%ff',
    '%c0%af', '%ed%a0%80', '%f4%90%80%80']) {
    test(`${name} is refused`, async () => {
      const answer = await ask('PUT', `odd/${name}`, {body: 'x'});
      assert.ok(answer.status >= 400 && answer.status < 500, `status ${answer.status}`);
      assert.ok(!(await list('')).includes('odd/'));
    });
  }

  test('a document and a folder of one name: 409 at every depth, and nothing is blocked', async () => {
    assert.equal((await ask('PUT', 'clash/x', {body: '1'})).status, 201);
    for (const name of ['clash/x/x', 'clash/x/y', 'clash/x/x/x/x']) {
      assert.equal((await ask('PUT', name, {body: '2'})).status, 409, name);
    }
    assert.equal((await ask('PUT', 'clash', {body: '3'})).status, 409);
    assert.equal((await ask('PUT', 'clash/y/z', {body: '4'})).status, 201);
    assert.equal((await ask('PUT', 'clash/y', {body: '5'})).status, 409);
    assert.equal((await ask('DELETE', 'clash/x')).status, 200);
    assert.equal((await ask('PUT', 'clash/x/x', {body: '6'})).status, 201);
    assert.equal(await read('clash/x/x'), '6');
  });
});

describe('writers', () => {
  async function race(count, name, headers) {
    const connections = await Promise.all(Array.from({length: count}, () => RawConnection.open(server.port)));
    const bytes = (n) => request('PUT', target(name), text(`writer ${n}`, headers), `writer ${n}`);
    // All but the last byte first, so that they arrive together.
    for (const [n, connection] of connections.entries()) await connection.send_all(bytes(n).slice(0, -1));
    for (const [n, connection] of connections.entries()) connection.send(bytes(n).slice(-1));
    const answers = await Promise.all(connections.map((connection) => connection.response()));
    for (const connection of connections) connection.close();
    const winners = answers.flatMap(({status}, n) => status < 300 ? [n] : []);
    assert.deepEqual(answers.map(({status}) => status).filter((status) => status >= 300),
      Array(count - 1).fill(412), `${winners.length} winners`);
    assert.equal(await read(name), `writer ${winners[0]}`);
    return answers[winners[0]].headers.etag;
  }

  test('of writers racing on one If-Match exactly one wins, always', async () => {
    let etag = (await ask('PUT', 'race', {body: 'start'})).headers.etag;
    for (let round = 0; round < 50; ++round) etag = await race(2 + round % 7, 'race', {'If-Match': etag});
  });

  test('of writers racing on If-None-Match: * exactly one creates', async () => {
    for (let round = 0; round < 30; ++round) await race(4, `create-${round}`, {'If-None-Match': '*'});
  });
});

describe('clients that vanish', () => {
  const kHalf = 3 << 20;
  for (const [how, leave] of [['a reset', (connection) => connection.reset()],
    ['an end', (connection) => connection.finish()]]) {
    for (const [what, head, framing] of [
      ['Content-Length', {'Content-Length': 2 * kHalf}, (piece) => piece],
      ['chunks', {'Transfer-Encoding': 'chunked'}, (piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`]]) {
      test(`in the middle of an upload by ${what}, with ${how}: nothing changes`, async () => {
        await ask('PUT', 'kept', {body: 'before'});
        for (const name of ['kept', 'half']) {
          const connection = await RawConnection.open(server.port);
          await connection.send_all(request('PUT', target(name), base({'Content-Type': 'text/plain', ...head})));
          await connection.send_all(framing('h'.repeat(kHalf)));
          leave(connection);
          await pause(200);
          connection.close();
        }
        assert.equal(await read('kept'), 'before');
        assert.equal(await read('half'), 404);
        assert.equal((await ask('PUT', 'kept', {body: 'after'})).status, 200);
      });
    }
  }

  test('in the middle of a download: the server goes on', async () => {
    const body = 'd'.repeat(8 << 20);
    await ask('PUT', 'download', {body});
    for (let n = 0; n < 20; ++n) {
      const connection = await RawConnection.open(server.port);
      connection.send(request('GET', target('download'), base()));
      await once(connection.socket, 'data');
      connection.reset();
    }
    assert.equal((await read('download')).length, body.length);
  });
});

describe('limits', () => {
  test('a quota holds, announced and in mid-stream, and what was there stays writable', only_meshstow, async () => {
    const small = await start_server({flags: []});
    try {
      await small.stop_serving();
      const config = path.join(small.home, 'config');
      const before = fs.readFileSync(config, 'utf8');
      const line = /^[ \t]*#?[ \t]*quota[ \t]*=.*$/m;
      assert.match(before, line, 'the config names the quota');
      fs.writeFileSync(config, before.replace(line, '  quota = 4M'));
      await small.serve();
      const bearer = {Host: small.authority, Authorization: `Bearer ${await small.token('*:rw')}`, 'Content-Type': 'text/plain'};
      const small_put = (name, headers, body) => exchange(small.port, request('PUT', target(name), {...bearer, ...headers}, body));
      const kept = await small_put('kept', {'Content-Length': 6}, 'before');
      assert.equal(kept.status, 201);
      const announced = await exchange(small.port, request('PUT', target('big'),
        {...bearer, 'Content-Length': 64 << 20, Expect: '100-continue'}));
      assert.equal(announced.status, 507);
      const connection = await RawConnection.open(small.port);
      connection.send(request('PUT', target('big'), {...bearer, 'Transfer-Encoding': 'chunked'}));
      const piece = `100000\r\n${'q'.repeat(1 << 20)}\r\n`;
      for (let n = 0; n < 32 && !connection.closed && !connection.unread(); ++n) await connection.send_all(piece);
      connection.send('0\r\n\r\n');
      assert.equal((await connection.response()).status, 507);
      connection.close();
      const gone = await exchange(small.port, request('GET', target('big'), bearer));
      assert.equal(gone.status, 404);
      const again = await small_put('kept', {'Content-Length': 5}, 'after');
      assert.equal(again.status, 200);
      for (const answer of [kept, announced, gone, again]) answer.connection.close();
    } finally { await small.stop(); }
  });

  test('wrong tokens get 401, then 429 with a numeric Retry-After, and valid ones keep working', async () => {
    const guessed = await start_server();
    try {
      const valid = await guessed.token('notes:rw');
      const with_token = (each) => exchange(guessed.port,
        request('GET', target(''), {Host: guessed.authority, Authorization: `Bearer ${each}`}));
      const seen = [];
      for (let n = 0; n < 1000 && seen.at(-1) !== 429; ++n) {
        const answer = await with_token(`wrong-${n}-${'w'.repeat(40)}`);
        answer.connection.close();
        seen.push(answer.status);
        if (answer.status === 429) assert.match(answer.headers['retry-after'], /^[1-9]\d*$/);
        else assert.equal(answer.status, 401);
      }
      assert.equal(seen[0], 401);
      assert.equal(seen.at(-1), 429, `never after ${seen.length}`);
      const good = await with_token(valid);
      good.connection.close();
      assert.equal(good.status, 200, 'a valid token works at the same moment');
    } finally { await guessed.stop(); }
  });

  test('a revoked token is refused at once, on open connections too', only_meshstow, async () => {
    const made = await server.token_with_id('notes:rw');
    const connection = await RawConnection.open(server.port);
    const get = request('GET', target(''), {Host: server.authority, Authorization: `Bearer ${made.token}`});
    assert.equal((await connection.send(get).response()).status, 200);
    await server.command('token', 'revoke', made.id);
    assert.equal((await connection.send(get).response()).status, 401);
    connection.close();
  });
});
