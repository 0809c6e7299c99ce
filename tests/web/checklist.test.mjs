// The remoteStorage draft (draft-dejong-remotestorage-26) walked item by item from outside, over real sockets.
// The numbers are those of the checklist that the project keeps: W discovery, R access rules, N names, D documents,
// F folders, C conditions, X CORS; P are faults of other servers that ours must not have.
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';

import {exchange, request} from './support/raw.mjs';
import {start_server} from './support/server.mjs';

const kOrigin = 'http://app.example';
const kRel = 'http://tools.ietf.org/id/draft-dejong-remotestorage';

let server;
const tokens = {};
before(async () => {
  server = await start_server();
  for (const scope of ['notes:rw', 'notes:r', '*:rw', '*:r', 'other:rw']) tokens[scope] = await server.token(scope);
  tokens.two = await server.token('notes:r', 'other:rw');
});
after(async () => { await server?.stop(); });

// scope: which token; null for none. The answer always carries CORS (X1), so every question here checks that.
async function ask(method, path, {scope = 'notes:rw', headers = {}, body, type = 'text/plain', root = '/storage/me'} = {}) {
  const head = {Host: server.authority, Origin: kOrigin, ...headers};
  if (scope) head.Authorization ??= `Bearer ${tokens[scope] ?? scope}`;
  if (body !== undefined) {
    head['Content-Length'] ??= Buffer.byteLength(body);
    if (type) head['Content-Type'] ??= type;
  }
  const answer = await exchange(server.port, request(method, root + path, head, body ?? ''), {method});
  answer.connection.close();
  const allowed = answer.headers['access-control-allow-origin'];
  assert.ok(allowed === '*' || (allowed === kOrigin && /\borigin\b/i.test(answer.headers.vary)),
    `X1: CORS on ${method} ${path.slice(0, 80)} (${answer.status}): ${allowed}`);
  answer.text = answer.body.toString();
  return answer;
}
const get = (path, options) => ask('GET', path, options);
const put = (path, body = 'x', options = {}) => ask('PUT', path, {body, ...options});
const remove = (path, options) => ask('DELETE', path, options);
const items = async (path, options) => JSON.parse((await get(path, options)).text).items;
const etag = async (path, options) => (await get(path, options)).headers.etag;
const created = (answer) => assert.equal(answer.status, 201);

describe('discovery', () => {
  const finger = async (resource) => {
    const answer = await get(`/.well-known/webfinger?resource=${resource}`, {scope: null, root: ''});
    return {...answer, json: answer.status === 200 ? JSON.parse(answer.text) : null};
  };
  test('W1 acct: and http: resources, escaped or not, as application/jrd+json', async () => {
    const resources = [`acct:${server.address}`, `http://${server.authority}/`];
    for (const resource of [...resources, ...resources.map(encodeURIComponent)]) {
      const {status, headers, json} = await finger(resource);
      assert.equal(status, 200, resource);
      assert.match(headers['content-type'], /^application\/jrd\+json/);
      assert.equal(json.links.filter(({rel}) => rel === kRel).length, 1);
    }
  });
  test('W1 an account that is not here is not found, no resource is a bad request', async () => {
    assert.equal((await finger(`acct:nobody@${server.authority}`)).status, 404);
    assert.equal((await get('/.well-known/webfinger', {scope: null, root: ''})).status, 400);
  });
  test('W2 W3 W4 one link, root without slash, properties of strings or null', async () => {
    const {json} = await finger(`acct:${server.address}`);
    const [link] = json.links.filter(({rel}) => rel === kRel);
    assert.equal(link.href, server.storage);
    const properties = link.properties;
    for (const [name, value] of Object.entries(properties)) assert.ok(value === null || typeof value === 'string', name);
    assert.match(properties['http://remotestorage.io/spec/version'], /^draft-dejong-remotestorage-\d\d$/);
    for (const section of ['4.2', '3.1', '3.2']) {
      const url = new URL(properties[`http://tools.ietf.org/html/rfc6749#section-${section}`]);
      assert.ok(['http:', 'https:'].includes(url.protocol));
    }
    assert.match(properties['http://tools.ietf.org/html/rfc7636'], /\bS256\b/);
    assert.equal(properties['http://tools.ietf.org/html/rfc7233'], 'GET');
  });
});

describe('access', () => {
  before(async () => {
    created(await put('/notes/doc', 'private'));
    created(await put('/public/notes/doc', 'public'));
    created(await put('/notes-x/doc', 'neighbour', {scope: '*:rw'}));
  });
  test('R1 rw gives everything below the module and its public part', async () => {
    for (const path of ['/notes/r1', '/public/notes/r1']) {
      created(await put(path));
      assert.equal((await get(path)).status, 200);
      assert.equal((await remove(path)).status, 200);
    }
    for (const folder of ['/notes/', '/public/notes/']) assert.equal((await get(folder)).status, 200);
  });
  test('R1 r gives GET and HEAD there and nothing else', async () => {
    for (const path of ['/notes/doc', '/notes/', '/public/notes/']) {
      assert.equal((await get(path, {scope: 'notes:r'})).status, 200);
      assert.equal((await ask('HEAD', path, {scope: 'notes:r'})).status, 200);
    }
    assert.equal((await put('/notes/no', 'x', {scope: 'notes:r'})).status, 403);
    assert.equal((await remove('/notes/doc', {scope: 'notes:r'})).status, 403);
    assert.equal((await put('/public/notes/no', 'x', {scope: 'notes:r'})).status, 403);
  });
  test('R2 notes is not notes-x; only * sees the roots', async () => {
    for (const path of ['/notes-x/doc', '/notes-x/', '/', '/public/']) assert.equal((await get(path)).status, 403, path);
    for (const path of ['/notes-x/doc', '/', '/public/', '/notes/']) {
      assert.equal((await get(path, {scope: '*:r'})).status, 200, path);
    }
  });
  test('R3 public documents need no token, and a bad one does not break them', async () => {
    for (const scope of [null, 'not-a-token', 'other:rw']) {
      const answer = await get('/public/notes/doc', {scope});
      assert.equal(answer.status, 200);
      assert.equal(answer.text, 'public');
      assert.equal((await ask('HEAD', '/public/notes/doc', {scope})).status, 200);
    }
    assert.equal((await get('/public/notes/none', {scope: null})).status, 404);
  });
  test('R3 public folders do, and the refusal does not tell whether they are empty', async () => {
    const answers = [];
    for (const path of ['/public/notes/', '/public/empty/', '/public/notes/none/']) {
      const {status, headers, text} = await get(path, {scope: null});
      assert.ok([401, 403].includes(status));
      delete headers.date;
      answers.push({status, headers, text});
    }
    assert.deepEqual(answers[1], answers[0]);
    assert.deepEqual(answers[2], answers[0]);
  });
  test('R4 OPTIONS needs no token', async () => {
    assert.ok([200, 204].includes((await ask('OPTIONS', '/notes/doc', {scope: null})).status));
  });
  test('R6 401 without a valid token, 403 for too little scope, both with WWW-Authenticate', async () => {
    for (const [scope, status] of [[null, 401], ['not-a-token', 401], ['other:rw', 403]]) {
      for (const answer of [await get('/notes/doc', {scope}), await put('/notes/doc', 'x', {scope}),
        await remove('/notes/doc', {scope}), await get('/notes/', {scope})]) {
        assert.equal(answer.status, status);
        assert.match(answer.headers['www-authenticate'], /^Bearer\b/);
      }
    }
    assert.equal((await get('/notes/doc')).text, 'private');
  });
  test('A4 the rights of a token are the union of its scopes', async () => {
    assert.equal((await get('/notes/doc', {scope: 'two'})).status, 200);
    created(await put('/other/doc', 'x', {scope: 'two'}));
    assert.equal((await put('/notes/doc', 'x', {scope: 'two'})).status, 403);
  });
  test('another account answers 401 or 403', async () => {
    for (const scope of [null, '*:rw']) {
      assert.ok([401, 403].includes((await get('/notes/doc', {scope, root: '/storage/other'})).status));
    }
  });
});

describe('names', () => {
  const names = ['a b', 'a&b', 'a+b', 'a;b', 'a:b', 'a@b', 'a?b', 'a#b', 'a,b', 'a$b', 'a=b', "a'b", 'a"b', 'a\\b', '...',
    '.hidden', '__proto__', 'constructor', '%2F', '%', '日本語', 'u\u0308', '\u00fc', 'A', 'a', '\u0001', '\u007f', '~', '<x>'];
  test('N1 N3 N4 any name is stored and listed decoded, byte for byte', async () => {
    for (const name of names) created(await put(`/notes/n1/${encodeURIComponent(name)}`, `body of ${name}`));
    assert.deepEqual(Object.keys(await items('/notes/n1/')).sort(), [...names].sort());
    for (const name of names) assert.equal((await get(`/notes/n1/${encodeURIComponent(name)}`)).text, `body of ${name}`);
  });
  test('N2 raw reserved characters and needless escapes are the same item', async () => {
    created(await put("/notes/n2/x'(y):@!,;z", 'same'));
    assert.equal((await get('/notes/n2/%78%27%28%79%29%3a%40%21%2C%3B%7A')).text, 'same');
  });
  test('N5 bad paths are a 4xx', async () => {
    for (const path of ['/notes//x', '/notes/./x', '/notes/../x', '/notes/%2e%2E/x', '/notes/%00', '/notes/a%2Fb', '/notes/%zz',
      '/notes/%', '/notes/%ff', '//notes/x']) {
      assert.equal((await put(path, 'x', {scope: '*:rw'})).status, 400, path);
      assert.equal((await get(path, {scope: '*:rw'})).status, 400, path);
    }
  });
  test('N6 document and folder of one name: 409', async () => {
    created(await put('/notes/n6/x'));
    assert.equal((await put('/notes/n6/x/x')).status, 409);
    assert.equal((await put('/notes/n6/x/a/b/c')).status, 409);
    assert.equal((await put('/notes/n6')).status, 409);
  });
  test('N7 a document directly in the root is legal with *:rw', async () => {
    created(await put('/root-document', 'x', {scope: '*:rw'}));
    assert.equal((await get('/root-document', {scope: '*:rw'})).text, 'x');
    assert.ok('root-document' in await items('/', {scope: '*:r'}));
  });
});

describe('documents', () => {
  test('D1 D3 body, type with its parameters, length and a strong ETag, on GET and HEAD', async () => {
    const type = 'text/plain; charset=utf-8; odd="a b"';
    created(await put('/notes/d1', 'grüße', {type}));
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(method, '/notes/d1');
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-type'], type);
      assert.equal(answer.headers['content-length'], '7');
      assert.match(answer.headers.etag, /^"[^"]+"$/);
      assert.equal(answer.text, method === 'GET' ? 'grüße' : '');
    }
  });
  test('D2 the bytes do not vary with Accept-Encoding', async () => {
    const body = 'compress me '.repeat(1000);
    created(await put('/notes/d2', body));
    const answer = await get('/notes/d2', {headers: {'Accept-Encoding': 'gzip, br, zstd'}});
    assert.equal(answer.text, body);
    assert.equal(answer.headers['content-encoding'], undefined);
  });
  test('D4 every ancestor up to the root gets a new version', async () => {
    created(await put('/notes/d4/a/b/doc'));
    const folders = ['/notes/d4/a/b/', '/notes/d4/a/', '/notes/d4/', '/notes/', '/'];
    const versions = async () => Promise.all(folders.map((folder) => etag(folder, {scope: '*:r'})));
    const seen = [await versions()];
    const first = await etag('/notes/d4/a/b/doc');
    const second = await put('/notes/d4/a/b/doc', 'y');
    assert.equal(second.status, 200);
    assert.notEqual(second.headers.etag, first);
    seen.push(await versions());
    created(await put('/notes/d4/a/b/sibling'));
    seen.push(await versions());
    assert.equal((await remove('/notes/d4/a/b/sibling')).status, 200);
    seen.push(await versions());
    // A tag may come back with the content that it stood for (F4), so each is compared with the one before.
    for (const [index] of folders.entries()) {
      for (let n = 1; n < seen.length; ++n) assert.notEqual(seen[n][index], seen[n - 1][index], folders[index]);
    }
  });
  test('D5 an empty document is one', async () => {
    created(await put('/notes/d5', ''));
    const answer = await get('/notes/d5');
    assert.equal(answer.headers['content-length'], '0');
    assert.equal((await items('/notes/')).d5['Content-Length'], 0);
  });
  test('D7 Content-Range on PUT is refused', async () => {
    assert.equal((await put('/notes/d7', 'x', {headers: {'Content-Range': 'bytes 0-0/2'}})).status, 400);
    assert.equal((await get('/notes/d7')).status, 404);
  });
  test('D8 DELETE answers the ETag of what it deleted; empty folders go; the name is free for either kind', async () => {
    const {headers} = await put('/notes/d8/a/b/doc');
    const gone = await remove('/notes/d8/a/b/doc');
    assert.equal(gone.status, 200);
    assert.equal(gone.headers.etag, headers.etag);
    assert.equal((await remove('/notes/d8/a/b/doc')).status, 404);
    assert.ok(!('d8/' in await items('/notes/')));
    created(await put('/notes/d8'));
    assert.equal((await remove('/notes/d8')).status, 200);
    created(await put('/notes/d8/x'));
  });
  test('D9 PUT and DELETE of a folder: 4xx', async () => {
    for (const method of ['PUT', 'DELETE']) {
      for (const path of ['/notes/', '/notes/d9/']) {
        const {status, headers} = await ask(method, path, {body: 'x'});
        assert.ok(status === 400 || (status === 405 && headers.allow), `${method} ${path}: ${status}`);
      }
    }
  });
  test('D10 ranges', async () => {
    created(await put('/notes/d10', '0123456789'));
    const range = (value, headers = {}) => get('/notes/d10', {headers: {Range: value, ...headers}});
    assert.equal((await get('/notes/d10')).headers['accept-ranges'], 'bytes');
    for (const [asked, text, content] of [['bytes=2-4', '234', 'bytes 2-4/10'], ['bytes=7-', '789', 'bytes 7-9/10'],
      ['bytes=-3', '789', 'bytes 7-9/10'], ['bytes=5-100', '56789', 'bytes 5-9/10'], ['bytes=-100', '0123456789', 'bytes 0-9/10']]) {
      const answer = await range(asked);
      assert.equal(answer.status, 206, asked);
      assert.equal(answer.text, text);
      assert.equal(answer.headers['content-range'], content);
    }
    for (const asked of ['bytes=10-', 'bytes=100-200', 'bytes=-0']) {
      const answer = await range(asked);
      assert.equal(answer.status, 416, asked);
      assert.equal(answer.headers['content-range'], 'bytes */10');
    }
    for (const asked of ['bytes=4-2', 'items=1-2', 'bytes=x-', 'nonsense']) assert.equal((await range(asked)).status, 200, asked);
    const tag = await etag('/notes/d10');
    assert.equal((await range('bytes=0-0', {'If-Range': tag})).status, 206);
    assert.equal((await range('bytes=0-0', {'If-Range': '"other"'})).status, 200);
  });
});

describe('folders', () => {
  test('F1 F2 F3 the description', async () => {
    created(await put('/notes/f1/doc', '12345', {type: 'application/json'}));
    created(await put('/notes/f1/sub/deep', 'x'));
    const answer = await get('/notes/f1/');
    assert.match(answer.headers['content-type'], /^application\/ld\+json/);
    const json = JSON.parse(answer.text);
    assert.equal(json['@context'], 'http://remotestorage.io/spec/folder-description');
    assert.deepEqual(Object.keys(json.items).sort(), ['doc', 'sub/']);
    const {doc} = json.items;
    assert.equal(`"${doc.ETag}"`, await etag('/notes/f1/doc'));
    assert.equal(doc['Content-Type'], 'application/json');
    assert.equal(doc['Content-Length'], 5);
    assert.match(doc['Last-Modified'], /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/);
    assert.deepEqual(Object.keys(json.items['sub/']), ['ETag']);
    assert.equal(`"${json.items['sub/'].ETag}"`, await etag('/notes/f1/sub/'), 'F4');
  });
  test('F3 unknown folders are empty, with an ETag', async () => {
    const answer = await get('/notes/f3/none/');
    assert.equal(answer.status, 200);
    assert.deepEqual(JSON.parse(answer.text).items, {});
    assert.match(answer.headers.etag, /^"[^"]+"$/);
  });
  test('F4 a folder tag never comes back for other content', async () => {
    const seen = new Map();
    for (let n = 0; n < 60; ++n) {
      if (n % 3 === 2) await remove('/notes/f4/doc'); else await put('/notes/f4/doc', `${n % 2}`);
      const {headers, text} = await get('/notes/f4/');
      assert.equal(seen.get(headers.etag) ?? text, text, `round ${n}`);
      seen.set(headers.etag, text);
    }
  });
  test('F5 conditional GET and HEAD of folders', async () => {
    created(await put('/notes/f5/doc'));
    const tag = await etag('/notes/f5/');
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(method, '/notes/f5/', {headers: {'If-None-Match': tag}});
      assert.equal(answer.status, 304);
      assert.equal(answer.headers.etag, tag);
    }
    await put('/notes/f5/doc', 'y');
    assert.equal((await get('/notes/f5/', {headers: {'If-None-Match': tag}})).status, 200);
  });
  test('HEAD of a folder has the headers of GET', async () => {
    const [head, full] = [await ask('HEAD', '/notes/f1/'), await get('/notes/f1/')];
    for (const name of ['etag', 'content-type', 'content-length']) assert.equal(head.headers[name], full.headers[name], name);
    assert.equal(head.text, '');
  });
});

describe('conditions', () => {
  test('C1 C2 If-Match: lists and *, 412 with the current ETag', async () => {
    const {headers} = await put('/notes/c2');
    for (const stale of ['"stale"', '"a", "b"', `W/${headers.etag}`]) {
      for (const method of ['PUT', 'DELETE']) {
        const answer = await ask(method, '/notes/c2', {body: 'y', headers: {'If-Match': stale}});
        assert.equal(answer.status, 412, `${method} ${stale}`);
        assert.equal(answer.headers.etag, headers.etag);
      }
    }
    const listed = await put('/notes/c2', 'y', {headers: {'If-Match': `"a", ${headers.etag}`}});
    assert.equal(listed.status, 200);
    assert.equal((await put('/notes/c2', 'z', {headers: {'If-Match': '*'}})).status, 200);
    for (const condition of ['*', '"a"']) {
      assert.equal((await put('/notes/c2-none', 'x', {headers: {'If-Match': condition}})).status, 412);
      assert.equal((await remove('/notes/c2-none', {headers: {'If-Match': condition}})).status, 412);
    }
    assert.equal((await get('/notes/c2-none')).status, 404);
    assert.equal((await remove('/notes/c2', {headers: {'If-Match': await etag('/notes/c2')}})).status, 200);
  });
  test('C3 If-None-Match on PUT', async () => {
    created(await put('/notes/c3', 'x', {headers: {'If-None-Match': '*'}}));
    const again = await put('/notes/c3', 'y', {headers: {'If-None-Match': '*'}});
    assert.equal(again.status, 412);
    assert.equal(again.headers.etag, await etag('/notes/c3'));
    assert.equal((await put('/notes/c3', 'y', {headers: {'If-None-Match': again.headers.etag}})).status, 412);
    assert.equal((await put('/notes/c3', 'y', {headers: {'If-None-Match': '"other"'}})).status, 200);
  });
  test('C4 If-None-Match on GET: lists, *, weak comparison', async () => {
    const {headers} = await put('/notes/c4');
    for (const value of [headers.etag, `"a", ${headers.etag}`, `W/${headers.etag}`, '*']) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await ask(method, '/notes/c4', {headers: {'If-None-Match': value}});
        assert.equal(answer.status, 304, value);
        assert.equal(answer.headers.etag, headers.etag);
      }
    }
    assert.equal((await get('/notes/c4', {headers: {'If-None-Match': '"a", "b"'}})).status, 200);
  });
  test('C5 authorization comes before conditions and clashes', async () => {
    created(await put('/notes/c5'));
    for (const path of ['/notes/c5', '/notes/c5/below']) {
      assert.equal((await put(path, 'y', {scope: 'notes:r', headers: {'If-Match': '"stale"'}})).status, 403);
      assert.equal((await put(path, 'y', {scope: null, headers: {'If-None-Match': '*'}})).status, 401);
    }
  });
  test('C6 Cache-Control', async () => {
    const members = (answer) => answer.headers['cache-control'].split(',').map((member) => member.trim()).sort();
    created(await put('/notes/c6'));
    created(await put('/public/notes/c6'));
    assert.ok(members(await get('/notes/c6')).includes('no-cache'));
    assert.deepEqual(members(await get('/public/notes/c6', {scope: null})), ['no-cache', 'public']);
    assert.ok(members(await get('/notes/')).includes('no-cache'));
  });
});

describe('CORS', () => {
  const preflight = (path, method, more = {}) => ask('OPTIONS', path, {scope: null, root: '', headers: {
    'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': 'authorization, content-type, if-match', ...more}});
  test('X2 preflight', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      for (const path of ['/storage/me/notes/x', '/storage/me/notes/', '/.well-known/webfinger']) {
        const answer = await preflight(path, method);
        assert.ok([200, 204].includes(answer.status));
        assert.equal(answer.text, '');
        assert.equal(answer.headers['access-control-allow-origin'], kOrigin);
      }
      const {headers} = await preflight('/storage/me/notes/x', method);
      const list = (name) => headers[name].toLowerCase().split(',').map((each) => each.trim());
      for (const each of ['get', 'head', 'put', 'delete']) assert.ok(list('access-control-allow-methods').includes(each), each);
      for (const each of ['authorization', 'content-type', 'content-length', 'origin', 'if-match', 'if-none-match',
        'x-requested-with', 'range']) assert.ok(list('access-control-allow-headers').includes(each), each);
      assert.ok(list('access-control-expose-headers').includes('etag'));
    }
  });
  test('X3 exposed headers', async () => {
    created(await put('/notes/x3'));
    for (const answer of [await get('/notes/x3'), await get('/notes/x3', {scope: null}), await get('/notes/')]) {
      const exposed = answer.headers['access-control-expose-headers'].toLowerCase();
      for (const name of ['etag', 'content-type', 'content-length', 'content-range', 'last-modified', 'retry-after',
        'www-authenticate']) assert.ok(exposed.includes(name), name);
    }
  });
  test('X4 private-network preflights, on WebFinger too', async () => {
    for (const path of ['/storage/me/notes/x', '/.well-known/webfinger']) {
      const answer = await preflight(path, 'GET', {'Access-Control-Request-Private-Network': 'true'});
      assert.equal(answer.headers['access-control-allow-private-network'], 'true');
    }
  });
  test('credentials are never allowed across origins', async () => {
    for (const answer of [await get('/notes/'), await preflight('/storage/me/notes/x', 'PUT')]) {
      assert.equal(answer.headers['access-control-allow-credentials'], undefined);
    }
  });
});

describe('faults of other servers', () => {
  test('P1 a delete beside a sibling changes every tag above', async () => {
    created(await put('/notes/p1/a/b/one'));
    created(await put('/notes/p1/a/b/two'));
    const folders = ['/notes/p1/a/b/', '/notes/p1/a/', '/notes/p1/', '/notes/'];
    const before = await Promise.all(folders.map((folder) => etag(folder)));
    await remove('/notes/p1/a/b/one');
    for (const [index, folder] of folders.entries()) assert.notEqual(await etag(folder), before[index], folder);
  });
  test('P3 a clash blocks nobody', async () => {
    created(await put('/notes/p3'));
    assert.equal((await put('/notes/p3/p3')).status, 409);
    created(await put('/notes/p3-next'));
  });
  test('P5 HEAD has a length; an empty folder has a tag; listings have dates', async () => {
    created(await put('/notes/p5', '12345'));
    assert.equal((await ask('HEAD', '/notes/p5')).headers['content-length'], '5');
    assert.ok((await items('/notes/')).p5['Last-Modified']);
  });
  test('P6 POST is answered', async () => {
    const answer = await ask('POST', '/notes/p6', {body: 'x'});
    assert.equal(answer.status, 405);
    assert.match(answer.headers.allow, /GET.*PUT|PUT.*GET/);
  });
  test('P7 an identical PUT is a new version or keeps its tag, and the listing agrees', async () => {
    created(await put('/notes/p7/doc', 'same'));
    const again = await put('/notes/p7/doc', 'same');
    assert.equal(`"${(await items('/notes/p7/')).doc.ETag}"`, again.headers.etag);
    assert.equal(await etag('/notes/p7/doc'), again.headers.etag);
  });
});
