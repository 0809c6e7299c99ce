// Unmodified remotestorage.js, both generations, in Node: what apps do all day.
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';

import {LibraryClient} from './support/library_client.mjs';
import {libraries} from './support/modules.mjs';
import {start_server} from './support/server.mjs';

const awkward = ['a&b', 'a+b', 'a;b', 'a:b', 'a@b', 'a?b', 'a#b', 'a,b', 'a$b', 'a=b', "it's", '(x)', 'wow!',
  'star*', 'with space', '100%', '%2F', '%41', 'quote"', 'back\\slash', '<tag>', '[x]', '{y}', '|', '^', '`', '~',
  '...', '.hidden', 'grüße', 'gru\u0308ße', '日本語', '😀', 'עברית', 'CASE', 'case', '__proto__x', 'constructor'];

for (const library of libraries) {
  describe(`remotestorage.js ${library.version} in Node`, () => {
    let server, token;
    const clients = [];
    const connected = async (options) => {
      const client = await LibraryClient.start(library, options);
      clients.push(client);
      await client.call.connect(server.address, token);
      return client;
    };
    before(async () => {
      server = await start_server();
      token = await server.token('notes:rw', 'pictures:rw');
    });
    after(async () => {
      for (const client of clients) client.stop();
      await server?.stop();
    });

    test('connects with a token through WebFinger', async () => {
      const client = await LibraryClient.start(library);
      clients.push(client);
      assert.equal(await client.call.connect(server.address, token), server.storage);
      const properties = await client.call.properties();
      // Consent is given in another origin than that of the documents.
      const dialog = new URL(properties['http://tools.ietf.org/html/rfc6749#section-4.2']);
      assert.equal(dialog.pathname, '/oauth/me');
      assert.notEqual(dialog.origin, new URL(server.storage).origin);
    });

    test('stores, reads, lists and deletes without a cache', async () => {
      const client = await connected({mode: 'direct'});
      await client.call.store('text/plain', 'direct/one', 'first');
      await client.call.store('application/json', 'direct/two', '{"n":2}');
      const read = await client.call.read('direct/one');
      assert.equal(read.data, 'first');
      assert.match(read.contentType, /^text\/plain/);
      const listing = await client.call.list('direct/');
      assert.deepEqual(Object.keys(listing).sort(), ['one', 'two']);
      assert.equal(listing.two['Content-Length'], 7);
      await client.call.remove('direct/one');
      await client.call.remove('direct/two');
      assert.deepEqual(Object.keys(await client.call.list('') ?? {}).filter((name) => name === 'direct/'), []);
    });

    test('stores and reads bytes that are no text', async () => {
      const client = await connected({mode: 'direct'});
      const bytes = Buffer.from([0, 255, 1, 254, 128, 10, 13, 0]);
      // The library takes an answer for text unless the stored type says this, so the parameter must survive.
      await client.call.store_bytes('image/png; charset=binary', 'bytes', bytes.toString('base64'));
      const read = await client.call.read('bytes');
      assert.equal(read.data.base64, bytes.toString('base64'));
      assert.match(read.contentType, /^image\/png/);
      const raw = await fetch(`${server.storage}/notes/bytes`, {headers: {Authorization: `Bearer ${token}`}});
      assert.deepEqual(Buffer.from(await raw.arrayBuffer()), bytes);
    });

    test('updates and deletes only what it has seen', async () => {
      const client = await connected({mode: 'direct'});
      const created = await client.call.wire('put', '/notes/if', 'one', 'text/plain', {ifNoneMatch: '*'});
      assert.ok([200, 201].includes(created.statusCode));
      const again = await client.call.wire('put', '/notes/if', 'two', 'text/plain', {ifNoneMatch: '*'});
      assert.equal(again.statusCode, 412);
      const updated = await client.call.wire('put', '/notes/if', 'two', 'text/plain',
        {ifMatch: created.revision});
      assert.ok([200, 201].includes(updated.statusCode));
      assert.notEqual(updated.revision, created.revision);
      const late = await client.call.wire('put', '/notes/if', 'three', 'text/plain',
        {ifMatch: created.revision});
      assert.equal(late.statusCode, 412);
      assert.equal(late.revision, updated.revision, 'the 412 carries the current ETag');
      const unchanged = await client.call.wire('get', '/notes/if', {ifNoneMatch: updated.revision});
      assert.equal(unchanged.statusCode, 304);
      const kept = await client.call.wire('delete', '/notes/if', {ifMatch: created.revision});
      assert.equal(kept.statusCode, 412);
      const gone = await client.call.wire('delete', '/notes/if', {ifMatch: updated.revision});
      assert.equal(gone.statusCode, 200);
      assert.equal((await client.call.wire('get', '/notes/if')).statusCode, 404);
    });

    test('two clients see what the other stores, changes and deletes', async () => {
      const [here, there] = [await connected(), await connected()];
      await here.call.store('text/plain', 'pair/a', 'from here');
      await here.call.sync();
      await there.call.sync();
      assert.equal((await there.call.read('pair/a')).data, 'from here');
      await there.call.store('text/plain', 'pair/a', 'from there');
      await there.call.store('text/plain', 'pair/b', 'more');
      await there.call.sync();
      await here.call.sync();
      assert.equal((await here.call.read('pair/a')).data, 'from there');
      assert.equal((await here.call.read('pair/b')).data, 'more');
      await here.call.remove('pair/a');
      await here.call.sync();
      await there.call.sync();
      assert.ok(!(await there.call.read('pair/a')).data);
      assert.deepEqual(Object.keys(await there.call.list('pair/')), ['b']);
    });

    test('a delete in a deep folder beside a sibling reaches the other client', async () => {
      const [here, there] = [await connected(), await connected()];
      await here.call.store('text/plain', 'deep/1/2/3/4/gone', 'x');
      await here.call.store('text/plain', 'deep/1/2/3/4/stays', 'y');
      await here.call.sync();
      await there.call.sync();
      assert.equal((await there.call.read('deep/1/2/3/4/gone')).data, 'x');
      await there.call.clear_events();
      await here.call.remove('deep/1/2/3/4/gone');
      await here.call.sync();
      await there.call.sync();
      assert.ok(!(await there.call.read('deep/1/2/3/4/gone')).data);
      assert.equal((await there.call.read('deep/1/2/3/4/stays')).data, 'y');
      assert.ok((await there.call.events('change')).some((change) =>
        change.origin === 'remote' && change.path === 'deep/1/2/3/4/gone'));
    });

    test('two clients that change one document get a conflict, not a loss', async () => {
      const [here, there] = [await connected(), await connected()];
      await here.call.store('text/plain', 'conflict/doc', 'common');
      await here.call.sync();
      await there.call.sync();
      await here.call.store('text/plain', 'conflict/doc', 'ours');
      await there.call.store('text/plain', 'conflict/doc', 'theirs');
      // Both also push by themselves, so either may be the later one, who is told of the conflict in
      // the round after the one that was refused.
      const told = async (client) => (await client.call.events('change')).some((change) =>
        change.origin === 'conflict' && change.path === 'conflict/doc');
      for (let round = 0; round < 20 && !(await told(here)) && !(await told(there)); ++round) {
        await here.call.sync();
        await there.call.sync();
      }
      const [here_late, there_late] = [await told(here), await told(there)];
      assert.notEqual(here_late, there_late, 'one of them');
      const direct = await connected({mode: 'direct'});
      assert.equal((await direct.call.read('conflict/doc')).data, there_late ? 'ours' : 'theirs');
    });

    test('names with reserved characters and Unicode survive a round by another client', async () => {
      const [here, there] = [await connected(), await connected()];
      for (const name of awkward) await here.call.store('text/plain', `names/${name}/${name}`, `body of ${name}`);
      for (let round = 0; round < 3; ++round) await here.call.sync();
      for (let round = 0; round < 3; ++round) await there.call.sync();
      const listing = await there.call.list('names/');
      assert.deepEqual(Object.keys(listing).sort(), awkward.map((name) => `${name}/`).sort());
      for (const name of awkward) {
        assert.equal((await there.call.read(`names/${name}/${name}`)).data, `body of ${name}`, name);
      }
      assert.deepEqual(await there.call.events('error'), []);
      assert.deepEqual(await here.call.events('error'), []);
    });

    test('a public document is read by anyone at its address, its folder by nobody else', async () => {
      const client = await connected({mode: 'direct'});
      const url = await client.call.publish('page one', 'text/plain', 'for all');
      assert.ok(url.startsWith(`${server.storage}/public/notes/`));
      const answer = await fetch(url);
      assert.equal(answer.status, 200);
      assert.equal(await answer.text(), 'for all');
      const folder = await fetch(url.slice(0, url.lastIndexOf('/') + 1));
      assert.ok([401, 403].includes(folder.status));
      assert.deepEqual(Object.keys(await client.call.list_public('')), ['page one']);
    });

    test('a revoked or wrong token is an Unauthorized error', async () => {
      const client = await LibraryClient.start(library, {mode: 'direct'});
      clients.push(client);
      await client.call.connect(server.address, 'not-a-token');
      await client.call.read('direct/one').catch(() => {});
      assert.ok((await client.call.events('error')).some(({detail}) => detail.name === 'Unauthorized'));
    });
  });
}
