// What `serve` and the commands beside it promise to scripts: the ready line, restarts, TLS, refusals, one set of
// documents for command line and apps.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import {after, before, describe, test} from 'node:test';

import {make_certificate} from './support/certificate.mjs';
import {binary} from './support/meshstow.mjs';
import {libraries} from './support/modules.mjs';
import {free_port, run, temporary_folder} from './support/processes.mjs';
import {RawConnection, exchange, request} from './support/raw.mjs';
import {only_meshstow, start_server} from './support/server.mjs';
import {assemble_app} from './support/static_server.mjs';

describe('serving', only_meshstow, () => {
  let server, token, properties;
  const headers = () => ({Authorization: `Bearer ${token}`});
  const get = (name) => fetch(server.storage + name, {headers: headers()});
  before(async () => {
    server = await start_server();
    token = await server.token('*:rw');
    const finger = await fetch(`${server.origin}/.well-known/webfinger?resource=acct:${server.address}`);
    [{properties}] = (await finger.json()).links;
  });
  after(async () => { await server?.stop(); });

  // `serve` on a home of its own, expected to end by itself.
  async function refused(...flags) {
    const home = path.join(temporary_folder('refused'), 'home');
    await run(binary, ['--home', home, 'init']);
    const end = await run(binary, ['--home', home, 'serve', '--reticulum', 'off', ...flags]);
    assert.notEqual(end.code, 0);
    assert.equal(end.stdout, '');
    return end.stderr;
  }

  test('the ready line has what scripts need', () => {
    const {http, address, url, destination} = server.ready;
    assert.ok(http.includes(server.authority), http);
    assert.equal(address, server.address);
    assert.ok(url.startsWith(`${server.dashboard}/`));
    assert.match(destination, /^[0-9a-f]{32}$/);
  });

  test('a fresh account is empty', async () => {
    assert.deepEqual((await (await get('/')).json()).items, {});
  });

  test('command line and apps see the same documents, both ways', async () => {
    const file = path.join(server.folder, 'file');
    fs.writeFileSync(file, 'from the command line');
    const put = await server.command('put', '/private/notes/cli', file, '--content-type', 'text/x-cli');
    const seen = await get('/notes/cli');
    assert.equal(await seen.text(), 'from the command line');
    assert.equal(seen.headers.get('content-type'), 'text/x-cli');
    assert.equal(seen.headers.get('etag').replaceAll('"', ''), put.etag.replaceAll('"', ''));
    for (const [name, there] of [['/notes/app', '/private/notes/app'], ['/public/notes/app', '/public/notes/app'],
      ['/shared/notes/app', '/shared/notes/app']]) {
      assert.equal((await fetch(server.storage + name, {method: 'PUT', headers: headers(), body: name})).status, 201);
      const out = path.join(server.folder, 'out');
      await server.command('get', there, '-o', out);
      assert.equal(fs.readFileSync(out, 'utf8'), name);
    }
    await server.command('rm', '/private/notes/app');
    assert.equal((await get('/notes/app')).status, 404);
  });

  test('the space left can be asked for', async () => {
    const url = properties['urn:meshstow:quota'];
    const {used, available} = await (await fetch(url, {headers: headers()})).json();
    assert.ok(used >= 0 && available > 0);
    assert.equal((await fetch(url)).status, 401);
  });

  test('another account is not here', async () => {
    for (const each of [{}, headers()]) {
      const answer = await fetch(`${server.origin}/storage/other/notes/x`, {headers: each});
      assert.ok([401, 403].includes(answer.status));
    }
  });

  test('it binds again at once after kill -9 under open connections', async () => {
    for (let n = 0; n < 5; ++n) {
      const open = await Promise.all(Array.from({length: 20}, () => RawConnection.open(server.port)));
      for (const connection of open) connection.send(request('GET', '/storage/me/notes/cli', {Host: server.authority, ...headers()}));
      await Promise.all(open.map((connection) => connection.response()));
      await server.kill();
      await server.serve();
      assert.equal((await get('/notes/cli')).status, 200);
      for (const connection of open) connection.close();
    }
  });

  test('it ends with 0 on SIGTERM, whatever is open', async () => {
    const ending = new AbortController();
    const stream = await fetch(`${properties['urn:meshstow:event-stream']}notes/`, {headers: headers(), signal: ending.signal});
    assert.equal(stream.status, 200);
    const half = await RawConnection.open(server.port);
    half.send(request('PUT', '/storage/me/notes/half', {Host: server.authority, ...headers(), 'Content-Length': 100}, 'half'));
    const idle = await RawConnection.open(server.port);
    assert.deepEqual(await server.stop_serving(), {code: 0, signal: null});
    ending.abort();
    half.close();
    idle.close();
    await server.serve();
    assert.equal((await get('/notes/half')).status, 404);
  });

  test('`open` shows the link to the browser in a file of the user\'s own, and in no argument', async () => {
    const tools = path.join(server.folder, 'tools');
    fs.mkdirSync(tools);
    const said = path.join(tools, 'said');
    fs.writeFileSync(path.join(tools, 'xdg-open'), `#!/bin/sh
printf '%s\\n' "$@" >"${said}"; cat "/proc/$PPID/cmdline" "/proc/$$/cmdline" >>"${said}"
stat -c %a "$1" >"${said}.mode"; cp "$1" "${said}.html"; exit "\${FAKE_EXIT:-0}"
`, {mode: 0o755});
    const env = {...process.env, HOME: server.folder, DISPLAY: ':99', PATH: `${tools}:${process.env.PATH}`};
    for (const exit of ['0', '3']) {
      const opened = await run(binary, ['--home', server.home, 'open'], {env: {...env, FAKE_EXIT: exit}, cwd: server.folder});
      assert.equal(opened.code, 0, opened.stderr);
      const link = opened.stdout.trim();
      const secret = link.split('#')[1];
      assert.ok(secret.length >= 20 && link.startsWith(`${server.dashboard}/`), link);
      assert.ok(!fs.readFileSync(said, 'utf8').includes(secret), 'other users of the machine read the arguments of programs');
      assert.ok(fs.readFileSync(`${said}.html`, 'utf8').includes(link));
      assert.equal(fs.readFileSync(`${said}.mode`, 'utf8').trim(), '600');
      assert.equal(/open this link/.test(opened.stderr), exit !== '0', opened.stderr);
      const [file] = fs.readFileSync(said, 'utf8').split('\n');
      if (exit !== '0') assert.ok(!fs.existsSync(file), 'of no use any more');
      const late = await fetch(`${server.dashboard}/signin`, {method: 'POST', body: new URLSearchParams({link: secret, secret: 'A'.repeat(43)})});
      assert.equal(late.status, 200, 'the link is good');
    }
  });

  test('nobody else can listen at the other name of our port', async () => {
    for (const host of ['127.0.0.1', '::1']) {
      const other = net.createServer();
      const failed = await new Promise((resolve) => {
        other.once('error', resolve);
        other.listen(server.port, host, () => other.close(() => resolve(null)));
      });
      assert.equal(failed?.code, 'EADDRINUSE', host);
    }
  });

  test('--public-url: what is told to browsers, while what is bound stays; bad ones are refused', async () => {
    for (const url of ['box.example', 'ftp://box.example', 'https://box.example/path', 'https://box.example/?q', 'https://me@box.example']) {
      assert.match(await refused('--http', 'localhost:0', '--public-url', url), /scheme, host and port/, url);
    }
    await server.stop_serving();
    server.flags = ['--public-url', 'https://box.example'];
    await server.serve();
    const {http, address, url} = server.ready;
    assert.equal(http, server.origin);
    assert.equal(address, 'me@box.example');
    assert.ok(url.startsWith('https://box.example/signin?'), url);
    assert.ok((await server.sign_in_url()).startsWith('https://box.example/'));
    const status = await server.command('status');
    assert.deepEqual([status.http, status.address], [http, address]);
    const ask = async (host, target, more) => {
      const answer = await exchange(server.port, request('GET', target, {Host: host, ...more}));
      answer.connection.close();
      return answer;
    };
    const finger = await ask('box.example', '/.well-known/webfinger?resource=acct:me@box.example');
    const [link] = JSON.parse(finger.body.toString()).links;
    assert.equal(link.href, 'https://box.example/storage/me');
    assert.equal(link.properties['http://tools.ietf.org/html/rfc6749#section-4.2'], 'https://box.example/oauth/me');
    assert.equal((await ask('box.example', '/storage/me/notes/cli', headers())).status, 200);
    assert.equal((await get('/notes/cli')).status, 200, 'at home as before');
    const foreign = await ask('evil.example', '/', {'X-Forwarded-Host': 'box.example'});
    assert.equal(foreign.status, 421);
    assert.match(foreign.body.toString(), /--public-url/);
    await server.stop_serving();
    server.flags = [];
    await server.serve();
  });

  test('a port in use is a clear error', async () => {
    assert.match(await refused('--http', server.authority), new RegExp(`${server.port}`));
  });

  test('plain HTTP off loopback is refused, with the way out', async () => {
    const port = await free_port();
    for (const host of ['0.0.0.0', '192.0.2.1', '[::]']) assert.match(await refused('--http', `${host}:${port}`), /https|TLS/);
  });

  test('TLS: discovery and documents over https, and clear errors for bad certificates', async () => {
    const {folder, certificate, key} = await make_certificate();
    const port = await free_port();
    await server.stop_serving();
    server.flags = ['--https', `127.0.0.1:${port}`, '--cert', certificate, '--key', key];
    await server.serve();
    const ask = (method, target, {body, ...options} = {}) => new Promise((resolve, reject) => {
      const call = https.request({host: '127.0.0.1', port, method, path: target, headers: headers(), ca: fs.readFileSync(certificate),
        ...options}, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece) => { text += piece; }).on('end', () => resolve({status: answer.statusCode, headers: answer.headers, text}));
      });
      call.on('error', reject).end(body);
    });
    const finger = await ask('GET', `/.well-known/webfinger?resource=acct:me@127.0.0.1:${port}`);
    const [link] = JSON.parse(finger.text).links;
    assert.equal(link.href, `https://127.0.0.1:${port}/storage/me`);
    assert.ok(link.properties['http://tools.ietf.org/html/rfc6749#section-4.2'].startsWith('https://'));
    const named = {headers: {Host: `mybox.lan:${port}`}};
    const lan = await ask('GET', `/.well-known/webfinger?resource=acct:me@mybox.lan:${port}`, named);
    const [there] = JSON.parse(lan.text).links;
    assert.equal(there.href, `https://mybox.lan:${port}/storage/me`, 'names in the certificate are ours');
    assert.equal(there.properties['http://tools.ietf.org/html/rfc6749#section-4.2'], `https://mybox.lan:${port}/oauth/me`);
    const foreign = {headers: {Host: `other.lan:${port}`}, checkServerIdentity: () => undefined};
    assert.equal((await ask('GET', '/dashboard/', foreign)).status, 421);
    const body = 't'.repeat(1 << 20);
    assert.equal((await ask('PUT', '/storage/me/notes/tls', {body})).status, 201);
    assert.equal((await ask('GET', '/storage/me/notes/tls')).text, body);
    assert.equal((await get('/notes/cli')).status, 200, 'plain HTTP on loopback goes on');
    await assert.rejects(ask('GET', '/', {maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0'}));
    const plain = await RawConnection.open(port);
    plain.send(request('GET', '/', {Host: `127.0.0.1:${port}`}));
    assert.notEqual(await plain.rest(), null, 'plain HTTP to the TLS port is closed');
    const other = await free_port();
    const bad = ['--http', 'off', '--https', `127.0.0.1:${other}`];
    assert.match(await refused(...bad, '--cert', key, '--key', key), /cert|key/i);
    assert.match(await refused(...bad, '--cert', certificate, '--key', path.join(folder, 'none')), /none|key/i);
    assert.notEqual(await refused(...bad), '');
    await server.stop_serving();
    server.http = 'off';
    await server.serve();
    const {http, url} = server.ready;
    assert.equal(http, `https://127.0.0.1:${port}`);
    for (const link of [url, await server.sign_in_url()]) {
      assert.ok(link.startsWith(`${http}/`), link);
      const answer = await ask('GET', link.slice(http.length).replace(/#.*/, ''));
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['set-cookie'], undefined);
    }
    await server.stop_serving();
    Object.assign(server, {flags: [], http: server.authority});
    await server.serve();
  });

  test('apps come from a folder, a zip or a tar, and nothing leaves its place', async () => {
    const folder = assemble_app(libraries.at(-1));
    const archives = path.join(server.folder, 'archives');
    fs.mkdirSync(archives);
    const tar = path.join(archives, 'tarred.tar.gz');
    assert.equal((await run('tar', ['-czf', tar, '-C', folder, '.'])).code, 0);
    const zip = path.join(archives, 'zipped.zip');
    const zipped = await run('python3', ['-m', 'zipfile', '-c', zip, ...fs.readdirSync(folder).map((name) => path.join(folder, name))]);
    assert.equal(zipped.code, 0, zipped.stderr);
    for (const [name, source] of [['small-notes', folder], ['tarred', tar], ['zipped', zip]]) {
      const added = await server.command('apps', 'add', source, '--name', name);
      const here = `http://${name}.localhost:${server.port}/`;
      assert.equal(added.url, `${server.origin}/apps/${name}/`);
      const moved = await exchange(server.port, request('GET', `/apps/${name}/`,
        {Host: server.authority, 'Sec-Fetch-Mode': 'navigate'}));
      moved.connection.close();
      assert.equal(moved.headers.location, here, 'a browser gets an origin for each app');
      for (const [file, expected] of [['', fs.readFileSync(path.join(folder, 'index.html'))],
        ['app.js', fs.readFileSync(path.join(folder, 'app.js'))]]) {
        const answer = await exchange(server.port, request('GET', `/${file}`, {Host: new URL(here).host}));
        answer.connection.close();
        assert.equal(answer.status, 200);
        assert.deepEqual(answer.body, expected);
      }
      for (const outside of ['/storage/me/notes/cli', '/api/state', '/dashboard/', '/../config', '/%2e%2e/config', '/nothing']) {
        const answer = await exchange(server.port, request('GET', outside, {Host: new URL(here).host, ...headers()}));
        answer.connection.close();
        assert.ok(answer.status >= 400 && answer.status < 500, `${outside}: ${answer.status}`);
      }
    }
    const {apps} = await server.command('apps', 'list');
    assert.deepEqual(apps.map(({name}) => name).sort(), ['small-notes', 'tarred', 'zipped']);
    await server.command('apps', 'remove', 'tarred');
    const gone = await exchange(server.port, request('GET', '/', {Host: `tarred.localhost:${server.port}`}));
    gone.connection.close();
    assert.ok(gone.status >= 400 && gone.status < 500);
    const empty = path.join(server.folder, 'empty');
    fs.mkdirSync(empty);
    await assert.rejects(server.command('apps', 'add', empty), /index\.html/);
    const evil = path.join(archives, 'evil.tar');
    for (const name of ['index.html', 'evil.js']) fs.writeFileSync(path.join(archives, name), 'x');
    assert.equal((await run('tar', ['-cPf', evil, '-C', archives, '--transform', 's,^evil,../../evil,', 'index.html', 'evil.js'])).code, 0);
    await assert.rejects(server.command('apps', 'add', evil), /\.\.\/evil\.js/, 'refused by name');
    fs.mkdirSync(path.join(archives, 'linked'));
    fs.symlinkSync('/etc/passwd', path.join(archives, 'linked', 'index.html'));
    await assert.rejects(server.command('apps', 'add', path.join(archives, 'linked')), /the link index\.html leads to \/etc\/passwd/);
    const bomb = path.join(archives, 'bomb.tar.gz');
    assert.equal((await run('sh', ['-c', `{ cat "${tar}" | gunzip; head -c 200000000 /dev/zero; } | gzip >"${bomb}"`])).code, 0);
    await assert.rejects(server.command('apps', 'add', bomb), /too much/);
  });
});
