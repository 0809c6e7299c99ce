// Consent and dashboard in Chromium: who gets in, and what stored content and other sites cannot do.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import {after, before, describe, test} from 'node:test';

import {start_browser} from './support/browser.mjs';
import {make_certificate} from './support/certificate.mjs';
import {free_port} from './support/processes.mjs';
import {exchange, request} from './support/raw.mjs';
import {only_meshstow, start_server} from './support/server.mjs';
import {assemble_app, serve_folder} from './support/static_server.mjs';
import {libraries} from './support/modules.mjs';

describe('pages', only_meshstow, () => {
  let browser, server, site, token, dialog, endpoints;
  const pages = {'/back': 'back'};  // of the other site, by path
  before(async () => {
    browser = await start_browser();
    server = await start_server();
    site = await serve_folder(assemble_app(libraries.at(-1)), pages);
    token = await server.token('*:rw');
    const finger = await fetch(`${server.origin}/.well-known/webfinger?resource=acct:${server.address}`);
    [{properties: endpoints}] = (await finger.json()).links;
    dialog = endpoints['http://tools.ietf.org/html/rfc6749#section-4.2'];
  });
  after(async () => {
    await browser?.close();
    site?.stop();
    await server?.stop();
  });

  const bearer = () => ({Authorization: `Bearer ${token}`});
  const store = async (path, type, body) => {
    const answer = await fetch(server.storage + path, {method: 'PUT', headers: {...bearer(), 'Content-Type': type}, body});
    assert.ok(answer.ok, `${path}: ${answer.status}`);
  };
  async function in_browser(t, {signed_in = true, ...options} = {}) {
    const context = await browser.newContext(options);
    t.after(() => context.close());
    const page = await context.newPage();
    if (signed_in) await server.sign_in(page);
    return page;
  }
  const ask_for = (scope, more = {}) => `${dialog}?${new URLSearchParams({redirect_uri: `${site.origin}/back`, scope,
    client_id: 'http://liar.example', response_type: 'token', ...more})}`;
  const fragment = (page) => new URLSearchParams(new URL(page.url()).hash.slice(1));

  test('the ready line and `open` give sign-in links on the host of the dialog, each good for once', async (t) => {
    const link = await server.sign_in_url();
    for (const url of [server.ready.url, link]) assert.equal(new URL(url).origin, new URL(dialog).origin);
    assert.notEqual(new URL(dialog).origin, server.origin, 'not where stored documents are');
    const page = await in_browser(t, {signed_in: false});
    await page.goto(link);
    assert.ok(!page.url().includes('#') && page.url().endsWith('/dashboard/'), page.url());
    assert.deepEqual(await page.context().cookies(), [], 'a cookie carries no right here');
    await page.goto(ask_for('notes:rw'));
    assert.equal(await page.locator('#allow').count(), 1);
    const late = await in_browser(t, {signed_in: false});
    await late.goto(link);
    await late.getByText('used before').waitFor();
    await late.goto(ask_for('notes:rw'));
    assert.equal(await late.locator('#allow').count(), 0);
    await late.getByText('meshstow open').waitFor();
    await late.goto(server.ready.url);
    await late.goto(ask_for('notes:rw'));
    assert.equal(await late.locator('#allow').count(), 1);
  });

  test('a page that waits for the user goes on when a link signs the browser in', async (t) => {
    const page = await in_browser(t, {signed_in: false});
    await page.goto(ask_for('notes:rw'));
    await page.locator('#signin').waitFor();
    await page.getByText(server.address).first().waitFor();
    await server.sign_in(await page.context().newPage());
    await page.locator('#allow').click();
    await page.waitForURL(/access_token=/);
  });

  test('without WebCrypto a secret in the storage of the origin signs in', async (t) => {
    const page = await in_browser(t, {signed_in: false});
    await page.addInitScript(() => { Object.defineProperty(crypto, 'subtle', {value: undefined}); });
    await server.sign_in(page);
    await page.getByText('What is stored').waitFor();
    assert.equal(await page.evaluate(() => localStorage.length), 1);
    await page.goto(ask_for('notes:rw'));
    await page.locator('#allow').click();
    await page.waitForURL(/access_token=/);
  });

  test('a phone signs in over TLS with the passphrase, on a page that names the home', async (t) => {
    const {certificate, key} = await make_certificate();
    const port = await free_port();
    const home = await start_server({init: ['--name', 'shelf'], flags: ['--https', `127.0.0.1:${port}`, '--cert', certificate, '--key', key]});
    t.after(() => home.stop());
    const phone = await in_browser(t, {signed_in: false, ignoreHTTPSErrors: true, viewport: {width: 360, height: 740}, isMobile: true, hasTouch: true});
    await phone.goto(`https://127.0.0.1:${port}/dashboard/`);
    await phone.getByText('shelf').waitFor();
    await phone.getByText('meshstow passphrase').waitFor();
    await home.command_with('correct horse\n', 'passphrase');
    await phone.reload();
    await phone.locator('input[type=password]').fill('correct horse');
    await phone.getByRole('button', {name: 'Sign in'}).tap();
    await phone.getByText('What is stored').waitFor();
    const width = await phone.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 360, `${width}`);
    await phone.reload();
    await phone.getByText('What is stored').waitFor();
  });

  test('the key of a session cannot be read by a script', async (t) => {
    const page = await in_browser(t);
    const exported = await page.evaluate(async () => {
      const opening = indexedDB.open('meshstow');
      await new Promise((resolve) => { opening.onsuccess = resolve; });
      const asked = opening.result.transaction('session').objectStore('session').get('mine');
      await new Promise((resolve) => { asked.onsuccess = resolve; });
      opening.result.close();
      const {key} = asked.result;
      return crypto.subtle.exportKey('jwk', key).then(() => 'exported', (error) => `${key.extractable} ${error.name}`);
    });
    assert.equal(exported, 'false InvalidAccessError');
    assert.equal(await page.evaluate(() => localStorage.length), 0);
  });

  test('a session survives a restart of the server', async (t) => {
    const page = await in_browser(t);
    await server.stop_serving();
    await server.serve();
    await page.goto(ask_for('notes:rw'));
    assert.equal(await page.locator('#allow').count(), 1);
  });

  test('a passphrase signs in and goes on to the consent page; guesses are slowed down', async (t) => {
    await assert.rejects(server.command_with('short\n', 'passphrase'), /8 characters/);
    await server.command_with('correct horse\n', 'passphrase');
    const page = await in_browser(t, {signed_in: false});
    await page.goto(ask_for('notes:rw'));
    for (const [passphrase, allowed] of [['wrong horse', 0], ['correct horse', 1]]) {
      await page.locator('input[type=password]').fill(passphrase);
      await page.keyboard.press('Enter');
      await (allowed ? page.locator('#allow') : page.getByText('not the passphrase')).waitFor();
      assert.equal(await page.locator('#allow').count(), allowed, passphrase);
    }
    let status = 0;
    for (let n = 0; n < 100 && status !== 429; ++n) {
      ({status} = await fetch(`${server.dashboard}/signin`, {method: 'POST', body: new URLSearchParams({passphrase: `guess ${n}`})}));
    }
    assert.equal(status, 429);
    await server.command('passphrase', '--remove');
    const late = await in_browser(t, {signed_in: false});
    await late.goto(ask_for('notes:rw'));
    await late.locator('#signin').waitFor();
    assert.equal(await late.locator('input[type=password]').count(), 0);
  });

  test('A1 A2 allowing goes back with the token and the state unchanged; client_id is ignored', async (t) => {
    const page = await in_browser(t);
    const state = 'x=1&y=a b/ü#%41';
    await page.goto(ask_for('notes:rw other:r', {state}));
    const text = await page.locator('body').innerText();
    assert.ok(text.includes(new URL(site.origin).host) && !text.includes('liar.example'), text);
    await page.locator('#allow').click();
    await page.waitForURL(/access_token=/);
    assert.ok(page.url().startsWith(`${site.origin}/back#`));
    assert.equal(fragment(page).get('token_type').toLowerCase(), 'bearer');
    assert.equal(fragment(page).get('state'), state);
    const headers = {Authorization: `Bearer ${fragment(page).get('access_token')}`};
    assert.equal((await fetch(`${server.storage}/notes/granted`, {method: 'PUT', headers, body: 'x'})).status, 201);
    assert.equal((await fetch(`${server.storage}/other/`, {headers})).status, 200);
    assert.equal((await fetch(`${server.storage}/other/no`, {method: 'PUT', headers, body: 'x'})).status, 403);
    assert.equal((await fetch(`${server.storage}/`, {headers})).status, 403);
  });

  test('consent works by keyboard alone', async (t) => {
    const page = await in_browser(t);
    await page.goto(ask_for('notes:r'));
    for (let n = 0; n < 40; ++n) {
      if (await page.evaluate(() => document.activeElement?.id === 'allow')) break;
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await page.waitForURL(/access_token=/);
  });

  test('A1 refusing goes back with access_denied', async (t) => {
    const page = await in_browser(t);
    await page.goto(ask_for('notes:rw', {state: 's'}));
    await page.getByRole('button', {name: /deny|refuse|cancel|not allow|don.t allow/i}).click();
    await page.waitForURL(/error=access_denied/);
    assert.equal(fragment(page).get('state'), 's');
    assert.equal(fragment(page).get('access_token'), null);
  });

  test('A3 requests that make no sense are explained, never redirected', async (t) => {
    const page = await in_browser(t);
    for (const query of ['', 'scope=notes:rw', `redirect_uri=${site.origin}/`, `redirect_uri=${site.origin}/&scope=`,
      `redirect_uri=${site.origin}/&scope=notes:rwx`, `redirect_uri=${site.origin}/&scope=a/b:rw`,
      `redirect_uri=${site.origin}/&scope=public:rw`, 'redirect_uri=javascript:alert(1)&scope=notes:rw',
      'redirect_uri=/relative&scope=notes:rw', 'redirect_uri=data:text/html,x&scope=notes:rw']) {
      const answer = await page.goto(`${dialog}?response_type=token&${query}`);
      assert.equal(answer.status(), 400, query);
      assert.equal(await page.locator('#allow').count(), 0, query);
    }
  });

  test('A5 a code with PKCE gives a token once, to who holds the verifier', async (t) => {
    const page = await in_browser(t);
    const verifier = crypto.randomBytes(48).toString('base64url');
    const challenge = crypto.createHash('sha256').update(verifier).digest('base64url');
    const authorization = endpoints['http://tools.ietf.org/html/rfc6749#section-3.1'];
    const get_code = async () => {
      await page.goto(`${authorization}?${new URLSearchParams({redirect_uri: `${site.origin}/back`, scope: 'notes:rw',
        client_id: site.origin, response_type: 'code', code_challenge: challenge, code_challenge_method: 'S256', state: 'st'})}`);
      await page.locator('#allow').click();
      await page.waitForURL(/[?&]code=/);
      assert.equal(new URL(page.url()).searchParams.get('state'), 'st');
      return new URL(page.url()).searchParams.get('code');
    };
    const exchange_code = async (code, code_verifier) => fetch(endpoints['http://tools.ietf.org/html/rfc6749#section-3.2'], {
      method: 'POST', headers: {Origin: site.origin}, body: new URLSearchParams({grant_type: 'authorization_code', code,
        code_verifier, redirect_uri: `${site.origin}/back`, client_id: site.origin})});
    const wrong = await exchange_code(await get_code(), 'w'.repeat(64));
    assert.equal(wrong.status, 400);
    assert.ok(wrong.headers.get('access-control-allow-origin'), 'X1: CORS on the token endpoint');
    const code = await get_code();
    const right = await exchange_code(code, verifier);
    assert.equal(right.status, 200);
    const {access_token, token_type} = await right.json();
    assert.equal(token_type.toLowerCase(), 'bearer');
    const headers = {Authorization: `Bearer ${access_token}`};
    assert.equal((await fetch(`${server.storage}/notes/`, {headers})).status, 200);
    assert.equal((await exchange_code(code, verifier)).status, 400);
    assert.equal((await fetch(`${server.storage}/notes/`, {headers})).status, 401, 'a code shown twice was stolen');
  });

  test('consent cannot be framed', async (t) => {
    pages['/frame'] = `<iframe src="${ask_for('notes:rw').replaceAll('&', '&amp;')}"></iframe>`;
    const page = await in_browser(t);
    await page.goto(`${site.origin}/frame`);
    const frame = await (await page.locator('iframe').elementHandle()).contentFrame();
    assert.equal(await frame.locator('#allow').count(), 0);
    const {headers} = await fetch(ask_for('notes:rw'));
    assert.match(headers.get('content-security-policy'), /frame-ancestors 'none'/);
  });

  test('consent cannot be submitted from another site, nor without the form of its own page', async (t) => {
    const page = await in_browser(t);
    await page.goto(ask_for('notes:rw'));
    await page.locator('#allow').waitFor();
    const fields = {redirect_uri: `${site.origin}/back`, scope: 'notes:rw', response_type: 'token', allow: '1', decision: 'allow', grant: 'notes:rw'};
    pages['/forged'] = `<form method="post" action="${dialog}">${Object.entries(fields).map(([name, value]) =>
      `<input name="${name}" value="${value}">`).join('')}<button id="allow">Go</button></form>`;
    await page.goto(`${site.origin}/forged`);
    const [refused] = await Promise.all([page.waitForResponse(dialog), page.locator('#allow').click()]);
    assert.equal(refused.status(), 403);
    assert.ok(!page.url().includes('access_token'));
    const bare = await page.context().request.post(dialog, {form: fields, maxRedirects: 0});
    assert.ok(bare.status() >= 400 && bare.status() < 500, `status ${bare.status()}`);
  });

  test('foreign Hosts get a 4xx on dashboard and consent', async () => {
    for (const host of ['evil.example', `evil.example:${server.port}`, 'localhost', `localhost.:${server.port}`,
      `a.b.localhost:${server.port}`, `127.1:${server.port}`, `${server.authority}.evil.example`, '127.0.0.2', '']) {
      for (const target of ['/', '/dashboard/', new URL(ask_for('notes:rw')).pathname + new URL(ask_for('notes:rw')).search]) {
        const answer = await exchange(server.port, request('GET', target, {Host: host}));
        answer.connection.close();
        assert.ok(answer.status >= 400 && answer.status < 500, `${host} ${target}: ${answer.status}`);
        assert.equal(answer.headers['set-cookie'], undefined);
      }
    }
    for (const host of [`localhost:${server.port}`, `127.0.0.1:${server.port}`, `LocalHost:${server.port}`, `[::1]:${server.port}`]) {
      const answer = await exchange(server.port,
        request('GET', `/.well-known/webfinger?resource=acct:${server.address}`, {Host: host}));
      answer.connection.close();
      assert.equal(answer.status, 200, host);
      const [{properties}] = JSON.parse(answer.body.toString()).links;
      assert.equal(properties['http://tools.ietf.org/html/rfc6749#section-4.2'], dialog, 'on the host of the sign-in links');
    }
  });

  test('stored pages and pictures carry a sandbox and nosniff, and their scripts do nothing', async (t) => {
    const script = `fetch('/api/state').then((r) => r.text()).then((t) => { document.title = 'read ' + t.length; });
      document.title = 'ran'; window.parent.hacked = true;`;
    const documents = {
      '/public/evil/page.html': ['text/html', `<!doctype html><title>inert</title><script>${script}</script>`],
      '/public/evil/page.xhtml': ['application/xhtml+xml',
        `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>inert</title><script>${script}</script></head><body/></html>`],
      '/public/evil/picture.svg': ['image/svg+xml',
        `<svg xmlns="http://www.w3.org/2000/svg"><title>inert</title><script>${script}</script></svg>`],
      '/public/evil/page.xml': ['text/xml',
        `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>inert</title><script>${script}</script></head></html>`],
      '/public/evil/almost.pdf': ['application/pdf;, text/html', `<!doctype html><title>inert</title><script>${script}</script>`],
      '/public/evil/two': ['application/pdf, text/html', `<!doctype html><title>inert</title><script>${script}</script>`],
      '/public/evil/parts': ['multipart/x-mixed-replace; boundary=b',
        `--b\r\nContent-Type: text/html\r\n\r\n<!doctype html><title>inert</title><script>${script}</script>\r\n--b--`],
      '/public/evil/guess': ['text/plain', `<!doctype html><title>sniffed</title><script>${script}</script>`],
    };
    const page = await in_browser(t);
    for (const [path, [type, body]] of Object.entries(documents)) {
      await store(path, type, body);
      const {headers} = await fetch(server.storage + path);
      const policy = headers.get('content-security-policy');
      assert.match(policy, /(^|;)\s*sandbox\b/, path);
      assert.doesNotMatch(policy, /allow-same-origin/);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      await page.goto(server.storage + path).catch((error) => assert.match(error.message, /Download is starting|ERR_ABORTED/));
      assert.ok(!/^(ran|read|sniffed)/.test(await page.title()), `${path}: ${await page.title()}`);
    }
  });

  test('another origin reads neither dashboard nor its API, even signed in', async (t) => {
    const page = await in_browser(t);
    await page.goto(`${site.origin}/`);
    for (const path of ['/', '/dashboard/', '/api/state', '/api/files/private/']) {
      const got = await page.evaluate(async (url) => {
        try { return (await fetch(url, {credentials: 'include'})).status; } catch { return 'refused'; }
      }, server.dashboard + path);
      assert.equal(got, 'refused', path);
    }
  });

  test('the dashboard asks no other host, has no errors, and fits a phone', async (t) => {
    await store('/notes/one', 'text/plain', 'x');
    for (const viewport of [{width: 1280, height: 800}, {width: 360, height: 740}]) {
      const page = await in_browser(t, {signed_in: false, viewport});
      const [asked, errors] = [new Set(), []];
      page.on('request', (each) => asked.add(new URL(each.url()).origin));
      page.on('pageerror', (error) => errors.push(error.message));
      page.on('console', (message) => { if (message.type() === 'error') errors.push(message.text()); });
      await server.sign_in(page);
      await page.getByText('notes').first().waitFor();
      assert.deepEqual([...asked].filter((origin) => origin !== 'null'), [server.dashboard]);
      assert.deepEqual(errors, []);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= viewport.width, `${width} of ${viewport.width}`);
    }
  });

  test('live changes: a stream under a scope tells what changed there, and only there', async () => {
    const url = Object.values(endpoints).find((value) => value?.includes('/events/'));
    assert.ok(url, 'announced in WebFinger');
    const notes = {Authorization: `Bearer ${await server.token('notes:r')}`};
    assert.equal((await fetch(`${url}notes/`)).status, 401);
    assert.equal((await fetch(`${url}other/`, {headers: notes})).status, 403);
    const ending = new AbortController();
    const stream = await fetch(`${url}notes/`, {headers: notes, signal: ending.signal});
    assert.equal(stream.status, 200);
    assert.match(stream.headers.get('content-type'), /^text\/event-stream/);
    let text = '';
    const read = (async () => {
      for await (const piece of stream.body.pipeThrough(new TextDecoderStream())) {
        text += piece;
        if (text.includes('live-last')) return;
      }
    })();
    await store('/other/live-hidden', 'text/plain', 'x');
    await store('/notes/live-first', 'text/plain', 'x');
    await fetch(`${server.storage}/notes/live-first`, {method: 'DELETE', headers: bearer()});
    await store('/notes/live-last', 'text/plain', 'x');
    await read;
    ending.abort();
    assert.equal(text.split('live-first').length - 1, 2);
    assert.ok(!text.includes('live-hidden'));
  });
});
