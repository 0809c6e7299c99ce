// Programs of other users of this machine: what listens on other ports of the browser's host is sent its cookies, and
// what takes our port while `serve` is away is our origin. None of it may act for the user who is signed in.
import assert from 'node:assert/strict';
import http from 'node:http';
import {after, before, describe, test} from 'node:test';

import {start_browser} from './support/browser.mjs';
import {eventually, pause} from './support/processes.mjs';
import {exchange, request} from './support/raw.mjs';
import {only_meshstow, start_server} from './support/server.mjs';

// A server that keeps all that it is sent. pages: {path: [type, body, headers]}
async function stranger(pages, port = 0, hosts = ['127.0.0.1']) {
  const seen = [];
  const servers = [];
  for (const host of hosts) {
    const server = http.createServer({maxHeaderSize: 4 << 20}, (question, answer) => {
      seen.push({method: question.method, url: question.url, headers: question.headers});
      const [type, body, headers] = pages[new URL(question.url, 'http://x').pathname] ?? ['text/html', '<!doctype html>nothing', {}];
      answer.writeHead(200, {'Content-Type': type, ...headers}).end(body);
    });
    await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    servers.push(server);
    port = server.address().port;
  }
  return {seen, port, stop: () => Promise.all(servers.map((server) => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  })))};
}

describe('strangers', only_meshstow, () => {
  let browser, server, dialog;
  before(async () => {
    browser = await start_browser();
    server = await start_server();
    const finger = await fetch(`${server.origin}/.well-known/webfinger?resource=acct:${server.address}`);
    const [{properties}] = (await finger.json()).links;
    dialog = properties['http://tools.ietf.org/html/rfc6749#section-4.2'];
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  async function signed_in(t) {
    const context = await browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    await server.sign_in(page);
    await page.getByText('What is stored').waitFor();
    return page;
  }
  const tokens = async () => (await server.command('token', 'list')).tokens.length;
  const consent = new URLSearchParams({redirect_uri: 'http://localhost:1/', scope: '*:rw', response_type: 'token',
    grant: '*:rw', decision: 'allow'});

  test('a server on another port gets all cookies, replays all that it gets, and can mint nothing', async (t) => {
    const evil = await stranger({}, 0, ['127.0.0.1', '::1']);
    t.after(evil.stop);
    const page = await signed_in(t);
    for (const host of ['127.0.0.1', 'localhost']) {
      await page.goto(`http://${host}:${evil.port}/`);
      const got = await page.evaluate(async ([dashboard, asked, body]) => {
        const results = [];
        const attempt = async (path, options) => {
          try { results.push(`${path} ${(await fetch(dashboard + path, {credentials: 'include', ...options})).status}`); } catch { /* refused */ }
        };
        await attempt('/api/state', {});
        await attempt('/api/tokens', {method: 'POST', body: '{"scopes":["*:rw"]}'});
        await attempt('/api/tokens', {method: 'POST', mode: 'no-cors', body: '{"scopes":["*:rw"]}'});
        await attempt('/oauth/me', {method: 'POST', body: new URLSearchParams(body)});
        await fetch(`${dashboard}/oauth/me`, {method: 'POST', mode: 'no-cors', credentials: 'include', body: new URLSearchParams(body)});
        const form = document.createElement('form');
        Object.assign(form, {method: 'post', action: asked, target: 'elsewhere'});
        for (const [name, value] of new URLSearchParams(body)) form.append(Object.assign(document.createElement('input'), {name, value}));
        document.body.append(form);
        form.submit();
        const frame = document.body.appendChild(document.createElement('iframe'));
        frame.src = `${dashboard}/dashboard/`;
        await new Promise((resolve) => { frame.onload = resolve; });
        return {results, stolen: frame.contentDocument?.body?.innerText ?? '', databases: (await indexedDB.databases()).length,
          local: localStorage.length, cookies: document.cookie};
      }, [server.dashboard, dialog, consent.toString()]);
      assert.deepEqual(got.results.filter((each) => !/ (0|403|421)$/.test(each)), [], host);
      assert.deepEqual([got.stolen, got.databases, got.local, got.cookies], ['', 0, 0, ''], 'the storage of an origin is its own');
      // What the stranger was sent, shown to us by a program of its own.
      for (const {headers} of evil.seen) {
        const {host: _, 'content-length': __, ...theirs} = headers;
        for (const [method, target, body] of [['GET', '/api/state'], ['POST', '/api/tokens', '{"scopes":["*:rw"]}'], ['POST', '/oauth/me', consent.toString()]]) {
          const answer = await fetch(server.dashboard + target, {method, body, redirect: 'manual',
            headers: {Cookie: theirs.cookie ?? '', 'Content-Type': 'application/x-www-form-urlencoded', Origin: server.dashboard}});
          assert.equal(answer.status, 403, `${method} ${target}`);
        }
      }
    }
    assert.equal(await tokens(), 0);
  });

  test('a call that was seen on its way is worth nothing the second time', async (t) => {
    const page = await signed_in(t);
    const [first] = await Promise.all([page.waitForRequest(/\/api\/tokens$/), (async () => {
      await page.getByRole('link', {name: 'Tokens', exact: true}).click();
      await page.getByLabel('Scope').fill('things:r');
      await page.getByRole('button', {name: /token/i}).first().click();
    })()]);
    await page.locator('code.secret').waitFor();
    const made = await tokens();
    const headers = await first.allHeaders();
    for (const [method, target] of [['POST', '/api/tokens'], ['POST', '/oauth/me'], ['GET', '/api/state']]) {
      const again = await fetch(server.dashboard + target, {method, body: method === 'GET' ? undefined : first.postData(),
        headers: {'Meshstow-Proof': headers['meshstow-proof'], 'Content-Type': 'application/json'}});
      assert.equal(again.status, 403, target);
    }
    assert.equal(await tokens(), made);
  });

  test('a call that was stopped on its way is worth nothing with another body', async (t) => {
    const page = await signed_in(t);
    const made = await tokens();
    const stopped = [];
    await page.route(/\/api\/tokens$/, (route) => { stopped.push(route.request()); return route.abort(); });
    await page.getByRole('link', {name: 'Tokens', exact: true}).click();
    const send = async (body) => {
      const seen = stopped.length;
      await page.getByLabel('Scope').fill('things:r');
      await page.getByRole('button', {name: /token/i}).first().click();
      await eventually(() => stopped.length > seen, 'the call');
      const request = stopped.at(-1);
      const answer = await fetch(`${server.dashboard}/api/tokens`, {method: 'POST', body: body ?? request.postData(),
        headers: {'Meshstow-Proof': (await request.allHeaders())['meshstow-proof'], 'Content-Type': 'application/json'}});
      return answer.status;
    };
    assert.equal(await send('{"scopes":["*:rw"]}'), 403);
    assert.equal(await tokens(), made);
    assert.equal(await send(), 201, 'the proof as such is good');
  });

  test('who held the port while serve was away can have nothing signed for later, and its worker goes', async (t) => {
    const page = await signed_in(t);
    const made = await tokens();
    const {nonce} = await (await fetch(`${server.dashboard}/api/session`)).json();
    await server.stop_serving();
    const evil = await stranger({
      '/worker.js': ['text/javascript', `addEventListener('install', () => skipWaiting());
        addEventListener('activate', (event) => event.waitUntil(clients.claim()));
        addEventListener('fetch', (event) => { if (event.request.mode === 'navigate')
          event.respondWith(new Response('<title>taken</title>', {headers: {'Content-Type': 'text/html'}})); });`],
    }, server.port, ['127.0.0.1', '::1']);
    const body = '{"scopes":["*:rw"]}';
    const signed = await (async () => {
      await page.goto(`${server.dashboard}/anything`);
      return page.evaluate(async ({known, body}) => {
        const base64url = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
        const opening = indexedDB.open('meshstow');
        await new Promise((resolve) => { opening.onsuccess = resolve; });
        const asked = opening.result.transaction('session').objectStore('session').get('mine');
        await new Promise((resolve) => { asked.onsuccess = resolve; });
        opening.result.close();
        const {id, key} = asked.result;
        const covered = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(body)));
        const text = ['meshstow call 2', location.origin, 'POST', '/api/tokens', covered, known, 'AAAAAAAAAAAAAAAAAAAAAA'].join('\n');
        const signature = await crypto.subtle.sign({name: 'ECDSA', hash: 'SHA-256'}, key, new TextEncoder().encode(text));
        await navigator.serviceWorker.register('/worker.js');
        await navigator.serviceWorker.ready;
        return `key ${id} ${known} AAAAAAAAAAAAAAAAAAAAAA ${covered} ${base64url(signature)}`;
      }, {known: nonce, body});
    })();
    await page.goto(`${server.dashboard}/dashboard/`);
    assert.equal(await page.title(), 'taken', 'the worker of the stranger answers');
    await evil.stop();
    await server.serve();
    const late = await fetch(`${server.dashboard}/api/tokens`, {method: 'POST', headers: {'Meshstow-Proof': signed}, body});
    assert.equal(late.status, 401);
    assert.equal(await tokens(), made);
    // The browser looks for a newer worker when a page has been quiet for a second.
    await eventually(async () => {
      await pause(3000);
      await page.goto(`${server.dashboard}/dashboard/`).catch(() => {});  // its own worker may navigate it meanwhile
      return await page.title() === 'Meshstow';
    }, 'our own page');
    assert.equal(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length), 0);
  });

  test('foreign cookies of any number and size lock nobody out', async (t) => {
    const cookies = Array.from({length: 180}, (_, n) => `c${n}=${'x'.repeat(4080)}`);
    const evil = await stranger({'/set': ['text/html', 'set', {'Set-Cookie': cookies}]}, 0, ['127.0.0.1', '::1']);
    t.after(evil.stop);
    const context = await browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    for (const host of ['127.0.0.1', 'localhost']) {
      for (const [n, cookie] of cookies.entries()) await context.addCookies([{url: `http://${host}`, name: `c${n}`, value: cookie.split('=')[1]}]);
      const names = ['meshstow', `meshstow_${server.port}`, '__Host-x', 'session'];
      await context.addCookies(names.map((name) => ({url: `http://${host}`, name: name.replace('__Host-', 'Host'), value: 'theirs'})));
    }
    await server.sign_in(page);
    await page.getByText('What is stored').waitFor();
    await page.goto(`${dialog}?${new URLSearchParams({redirect_uri: `http://localhost:${evil.port}/back`, scope: 'notes:rw', response_type: 'token'})}`);
    await page.locator('#allow').click();
    await page.waitForURL(/access_token=/);
    const sent = evil.seen.at(-1).headers.cookie?.length ?? 0;
    t.diagnostic(`${sent} bytes of cookies reach a server on another port`);
    const many = Array.from({length: 200}, (_, n) => `c${n}=${'y'.repeat(4096)}`).join('; ');
    const answer = await exchange(server.port, request('GET', '/dashboard/', {Host: new URL(server.dashboard).host, Cookie: many}));
    answer.connection.close();
    assert.equal(answer.status, 200);
  });
});
