// The dashboard as a person uses it: files, apps, tokens, live changes, by mouse and by keyboard.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {after, before, describe, test} from 'node:test';

import {start_browser} from './support/browser.mjs';
import {libraries} from './support/modules.mjs';
import {eventually} from './support/processes.mjs';
import {RawConnection, request} from './support/raw.mjs';
import {only_meshstow, start_server} from './support/server.mjs';
import {assemble_app} from './support/static_server.mjs';

describe('the dashboard', only_meshstow, () => {
  let browser, server, token, page, context;
  before(async () => {
    browser = await start_browser();
    server = await start_server();
    token = await server.token('*:rw');
    context = await browser.newContext({acceptDownloads: true});
    page = await context.newPage();
    await server.sign_in(page);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const headers = () => ({Authorization: `Bearer ${token}`});
  const url_of = (path) => server.storage + path.split('/').map(encodeURIComponent).join('/');
  const read = async (path) => {
    const answer = await fetch(url_of(path), {headers: headers()});
    return answer.ok ? answer.text() : answer.status;
  };
  const store = async (path, body) => {
    const answer = await fetch(url_of(path), {method: 'PUT', headers: {...headers(), 'Content-Type': 'text/plain'}, body});
    assert.ok(answer.ok, `${path}: ${answer.status}`);
  };
  const section = async (name) => {
    await page.getByRole('link', {name, exact: true}).first().click();
    await page.getByRole('heading', {level: 1}).waitFor();
  };
  const open_folder = async (name) => {
    await section('Files');
    await page.getByRole('link', {name: `${name}/`, exact: true}).click();
    await page.getByRole('navigation', {name: 'Folder'}).getByText(name, {exact: true}).waitFor();
  };
  const row = (text) => page.getByRole('row').filter({hasText: text});
  const awkward = 'a&b #1? 100% "ü".txt';

  test('uploads a file with an awkward name, downloads the same bytes, deletes it', async () => {
    await store('/things/first', 'x');
    await open_folder('things');
    await page.locator('input[type=file]').setInputFiles({name: awkward, mimeType: 'text/plain', buffer: Buffer.from('from disk')});
    await row(awkward).waitFor();
    assert.equal(await read(`/things/${awkward}`), 'from disk');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', {name: awkward, exact: true}).click()]);
    assert.equal(fs.readFileSync(await download.path(), 'utf8'), 'from disk');
    await row(awkward).getByRole('button').click();
    await page.getByRole('dialog').getByRole('button').first().click();
    await row(awkward).waitFor({state: 'detached'});
    assert.equal(await read(`/things/${awkward}`), 404);
    assert.equal(await read('/things/first'), 'x');
  });

  test('takes dropped files', async () => {
    await open_folder('things');
    const files = await page.evaluateHandle(() => {
      const transfer = new DataTransfer();
      for (const name of ['drop 1', 'drop 2']) transfer.items.add(new File([`body of ${name}`], name, {type: 'text/plain'}));
      return transfer;
    });
    await page.getByText(/drop/i).first().dispatchEvent('drop', {dataTransfer: files});
    await row('drop 2').waitFor();
    assert.equal(await read('/things/drop 1'), 'body of drop 1');
  });

  test('shows at once what others change', async () => {
    await open_folder('things');
    await store('/things/from elsewhere', 'x');
    await row('from elsewhere').waitFor();
    await fetch(url_of('/things/from elsewhere'), {method: 'DELETE', headers: headers()});
    await row('from elsewhere').waitFor({state: 'detached'});
    await section('Storage');
    await store('/brand-new/module', 'x');
    await page.getByText('brand-new').waitFor();
  });

  test('shows how far a long upload of somebody else is, and that it is over', async () => {
    await section('Storage');
    const upload = await RawConnection.open(server.port);
    const pieces = 40;
    upload.send(request('PUT', '/storage/me/things/long', {Host: server.authority, ...headers(), 'Content-Length': pieces << 19}));
    const shown = page.getByText(/Receiving \/things\/long . [\d.]+ MB of 21.0 MB/);
    let sent = 0;
    await eventually(async () => {
      if (sent < pieces - 1) { ++sent; await upload.send_all('u'.repeat(1 << 19)); }
      return shown.isVisible();
    }, 'progress');
    while (sent++ < pieces) await upload.send_all('u'.repeat(1 << 19));
    assert.equal((await upload.response()).status, 201);
    upload.close();
    await shown.waitFor({state: 'detached'});
  });

  test('deletes a folder with all that is in it, after asking', async () => {
    for (const name of ['a', 'b/c', 'b/d/e']) await store(`/things/tree/${name}`, 'x');
    await open_folder('things');
    await row('tree/').getByRole('button').click();
    await page.getByRole('dialog').getByRole('button', {name: /cancel/i}).click();
    assert.equal(await read('/things/tree/b/c'), 'x');
    await row('tree/').getByRole('button').click();
    await page.getByRole('dialog').getByRole('button').first().click();
    await row('tree/').waitFor({state: 'detached'});
    assert.equal(await read('/things/tree/b/d/e'), 404);
  });

  test('asks before it deletes: in red, with the way back at hand, saying what stays', async () => {
    await store('/things/precious', 'x');
    await open_folder('things');
    await row('precious').getByRole('button').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Earlier versions remain').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Cancel');
    const [red, green, blue] = await dialog.getByRole('button', {name: 'Delete'}).evaluate(
      (button) => getComputedStyle(button).backgroundColor.match(/\d+/g).map(Number));
    assert.ok(red > 2 * green && red > 2 * blue, `${red} ${green} ${blue}`);
    await page.keyboard.press('Enter');
    await dialog.waitFor({state: 'hidden'});
    assert.equal(await read('/things/precious'), 'x');
    await server.command('history-policy', 'none', '--module', 'things');
    await row('precious').getByRole('button').click();
    await dialog.getByText('this cannot be undone').waitFor();
    await dialog.getByRole('button', {name: 'Cancel'}).click();
    await server.command('history-policy', 'default', '--module', 'things');
  });

  test('asks again before it deletes what was changed while it asked', async () => {
    const dialog = page.getByRole('dialog');
    const answer_after_change = async (path, button) => {
      await dialog.getByText('Apps on all your devices').waitFor();
      await store(path, 'newer');
      await dialog.getByRole('button', {name: 'Delete'}).click();
      await dialog.getByText(`${path} was changed meanwhile`).waitFor();
      await dialog.getByRole('button', {name: button}).click();
    };
    await store('/things/edited', 'x');
    await store('/things/branch/leaf', 'x');
    await open_folder('things');
    await row('edited').getByRole('button').click();
    await answer_after_change('/things/edited', 'Cancel');
    assert.equal(await read('/things/edited'), 'newer');
    await row('branch/').getByRole('button').click();
    await answer_after_change('/things/branch/leaf', 'Cancel');
    assert.equal(await read('/things/branch/leaf'), 'newer');
    await row('edited').getByRole('button').click();
    await answer_after_change('/things/edited', 'Delete');
    await row('edited').waitFor({state: 'detached'});
    assert.equal(await read('/things/edited'), 404);
  });

  test('shows a folder of very many names by the thousand', async () => {
    const items = {};
    for (let at = 0; at < 150_000; ++at) items[`n${at}`] = {ETag: `${at}`, 'Content-Type': 'text/plain', 'Content-Length': 1};
    // Only the listing is made up: to store as many takes minutes.
    await page.route('**/api/files/many/', (route) => route.fulfill({json: {'@context': 'http://remotestorage.io/spec/folder-description', items}}));
    await page.evaluate(() => { location.hash = '#/files/many/'; });
    const more = page.getByRole('button', {name: 'Show 1,000 more of 150,000'});
    await more.waitFor();
    const rows = () => page.locator('tbody tr').count();
    assert.equal(await rows(), 1000);
    await more.click();
    assert.equal(await rows(), 2000);
    await page.unroute('**/api/files/many/');
  });

  test('asks before an upload takes the place of a document', async () => {
    await store('/things/taken', 'before');
    await open_folder('things');
    const choose = (body) => page.locator('input[type=file]').setInputFiles(
      [{name: 'taken', mimeType: 'text/plain', buffer: Buffer.from(body)}, {name: 'free', mimeType: 'text/plain', buffer: Buffer.from(body)}]);
    const dialog = page.getByRole('dialog');
    await choose('first');
    await dialog.getByText('/things/taken').waitFor();
    await dialog.getByRole('button', {name: 'Cancel'}).click();
    await row('free').waitFor();
    assert.equal(await read('/things/taken'), 'before');
    assert.equal(await read('/things/free'), 'first');
    await choose('second');
    for (const name of ['taken', 'free']) {
      await dialog.getByText(`/things/${name}`).waitFor();
      await dialog.getByRole('button', {name: 'Replace'}).click();
    }
    await eventually(async () => await read('/things/free') === 'second', 'the second file');
    assert.equal(await read('/things/taken'), 'second');
  });

  test('tells that the node is gone, keeps what it shows, and goes on when it is back', async () => {
    await open_folder('things');
    await server.stop_serving();
    const banner = page.getByText('This node does not answer');
    await banner.waitFor();
    await row('taken').waitFor();
    await server.serve();
    await store('/things/meanwhile', 'x');
    await page.getByRole('button', {name: 'Try now'}).click({timeout: 5000}).catch(() => {});  // unless it has by itself
    await banner.waitFor({state: 'detached'});
    await row('meanwhile').waitFor();
  });

  test('says in words that nobody answers when a token is asked for', async () => {
    await section('Tokens');
    await page.getByLabel('Scope').fill('things:r');
    await page.route('**/api/tokens', (route) => route.abort('connectionrefused'));
    await page.getByRole('button', {name: 'Make a token'}).click();
    await page.getByText('This node does not answer').waitFor();
    await page.unroute('**/api/tokens');
    await page.reload();
  });

  test('makes a token that works, and takes it back', async () => {
    await section('Tokens');
    await page.getByLabel('Scope').fill('things:r');
    await page.getByRole('button', {name: /token/i}).first().click();
    const made = (await page.locator('code.secret').innerText()).trim();
    // It stays while other things change, since it cannot be shown again.
    await store('/things/while a token is shown', 'x');
    await page.waitForTimeout(1500);  // a page that would be drawn anew has been by now
    assert.equal((await page.locator('code.secret').innerText()).trim(), made);
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], {origin: new URL(page.url()).origin});
    await page.getByRole('button', {name: 'Copy'}).click();
    await page.getByText('Copied.').waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), made);
    await page.getByRole('dialog').getByRole('button', {name: 'Close'}).click();
    await page.locator('code.secret').waitFor({state: 'detached'});
    const use = async () => (await fetch(`${server.storage}/things/`, {headers: {Authorization: `Bearer ${made}`}})).status;
    assert.equal(await use(), 200);
    await row('things:r').getByRole('button').click();
    await page.getByRole('dialog').getByRole('button').first().click();
    await row('things:r').waitFor({state: 'detached'});
    assert.equal(await use(), 401);
  });

  test('opens an installed app that connects by itself, lists it as connected, and disconnects it', async () => {
    await server.command('apps', 'add', assemble_app(libraries.at(-1)));
    await section('Apps');
    await page.reload();
    await page.getByRole('link', {name: 'Open'}).click();
    const app = context.pages().at(-1);
    await app.locator('#allow').click();
    await app.getByText('connected as').waitFor();
    const origin = new URL(app.url()).origin;
    assert.ok(![server.origin, server.dashboard].includes(origin), 'an app is another origin than the dashboard');
    assert.equal(await app.evaluate(() => document.cookie), '');
    const [app_token] = [await app.evaluate(() => window.app.storage.remote.token)];
    const use = async () => (await fetch(`${server.storage}/notes/`, {headers: {Authorization: `Bearer ${app_token}`}})).status;
    assert.equal(await use(), 200);
    await page.goto(`${server.dashboard}/dashboard/#/apps`);
    await row(origin).getByRole('button').click();
    await page.getByRole('dialog').getByRole('button').first().click();
    await row(origin).waitFor({state: 'detached'});
    assert.equal(await use(), 401);
  });

  test('every section is reached by keyboard', async () => {
    await page.goto(`${server.dashboard}/dashboard/`);
    for (const name of ['Files', 'Apps', 'Tokens', 'Node', 'Storage']) {
      await eventually(async () => {
        await page.keyboard.press('Tab');
        return page.evaluate((wanted) => document.activeElement?.textContent === wanted, name);
      }, `focus on ${name}`);
      await page.keyboard.press('Enter');
      await page.waitForFunction((wanted) => document.querySelector('nav a[aria-current], nav a.current')?.textContent === wanted, name);
    }
  });

  test('signing out ends the session', async () => {
    await page.getByRole('button', {name: 'Sign out'}).click();
    await page.locator('#signin').waitFor();
    await page.reload();
    await page.locator('#signin').waitFor();
  });
});
