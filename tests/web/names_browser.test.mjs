// Names that others chose, on our pages in Chromium: nothing in them turns the direction of reading.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {after, before, describe, test} from 'node:test';

import {start_browser} from './support/browser.mjs';
import {temporary_folder} from './support/processes.mjs';
import {only_meshstow, start_server} from './support/server.mjs';

const controls = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const name = 'gpj.\u202eexe';
const shown = 'gpj.\\u202eexe';
const joined = 'می\u200cخواهم';

describe('names of others', only_meshstow, () => {
  let browser, server, page;
  before(async () => {
    browser = await start_browser();
    server = await start_server();
    const token = await server.token('*:rw');
    for (const each of [name, joined]) {
      const answer = await fetch(`${server.storage}/things/${encodeURIComponent(each)}`,
        {method: 'PUT', headers: {Authorization: `Bearer ${token}`, 'Content-Type': 'text/plain'}, body: 'x'});
      assert.ok(answer.ok);
    }
    page = await (await browser.newContext({acceptDownloads: true})).newPage();
    await server.sign_in(page);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  // What is read, heard, or shown when the mouse rests.
  const read = () => page.evaluate(() => document.title + document.body.innerText +
    [...document.querySelectorAll('*')].map((each) => `${each.title ?? ''}${each.getAttribute('aria-label') ?? ''}`).join(' '));

  test('are written out in listings, and downloads keep their names', async () => {
    await page.getByRole('link', {name: 'Files', exact: true}).first().click();
    await page.getByRole('link', {name: 'things/', exact: true}).click();
    const link = page.getByRole('link', {name: shown, exact: true});
    await link.waitFor();
    await page.getByRole('link', {name: joined, exact: true}).waitFor();
    assert.doesNotMatch(await read(), controls);
    const [download, answer] = await Promise.all([page.waitForEvent('download'), page.waitForResponse((each) => each.request().method() === 'GET' && each.url().includes('/download/')), link.click()]);
    assert.equal(fs.readFileSync(await download.path(), 'utf8'), 'x');
    const [, given] = (await answer.allHeaders())['content-disposition'].split("''");
    assert.equal(decodeURIComponent(given), name);
  });

  test('are written out in questions', async () => {
    await page.getByRole('row').filter({hasText: shown}).getByRole('button').click();
    const question = page.getByRole('dialog');
    await question.getByText(shown).first().waitFor();
    assert.doesNotMatch(await read(), controls);
    await page.keyboard.press('Escape');
    await question.waitFor({state: 'hidden'});
  });

  test('are written out where an app asks for a module', async () => {
    const finger = await fetch(`${server.origin}/.well-known/webfinger?resource=acct:${server.address}`);
    const dialog = (await finger.json()).links[0].properties['http://tools.ietf.org/html/rfc6749#section-4.2'];
    const asks = await page.context().newPage();
    await asks.goto(`${dialog}?${new URLSearchParams({redirect_uri: 'http://127.0.0.1:1/back', client_id: 'http://127.0.0.1:1',
      response_type: 'token', scope: 'no\u202ete:rw'})}`);
    await asks.locator('#allow').waitFor();
    const text = await asks.locator('body').innerText();
    assert.match(text, /no\\u202ete/);
    assert.doesNotMatch(text, controls);
    await asks.close();
  });

  test('are written out for apps', async () => {
    const folder = temporary_folder('app');
    fs.writeFileSync(`${folder}/index.html`, `<title>${name}</title>`);
    await server.command('apps', 'add', folder, '--name', 'turned');
    await page.goto(page.url().replace(/#.*/, '#/apps'));
    await page.reload();
    await page.getByText(shown).first().waitFor();
    assert.doesNotMatch(await read(), controls);
  });
});
