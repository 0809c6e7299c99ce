// A real app in headless Chromium: WebFinger, consent page, documents, two devices.
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';

import {start_browser} from './support/browser.mjs';
import {libraries} from './support/modules.mjs';
import {only_meshstow, start_server} from './support/server.mjs';
import {eventually} from './support/processes.mjs';
import {assemble_app, serve_folder} from './support/static_server.mjs';

let browser;
before(async () => { browser = await start_browser(); });
after(async () => { await browser?.close(); });

async function connect(server, page) {
  await page.locator('#address').fill(server.address);
  await page.getByRole('button', {name: 'Connect', exact: true}).click();
  await server.allow(page);
  await page.getByText('connected as').waitFor();
}

async function save(page, name, text) {
  await page.locator('#name').fill(name);
  await page.locator('#text').fill(text);
  await page.getByRole('button', {name: 'Save'}).click();
}

const note = (page, name) => page.locator(`li[data-path="${name}"]`);

async function document_of(server, token, name) {
  const answer = await fetch(`${server.storage}/notes/${name}`, {headers: {Authorization: `Bearer ${token}`}});
  return answer.ok ? answer.text() : answer.status;
}

async function until_stored(server, token, name, expected) {
  await eventually(async () => await document_of(server, token, name) === expected, `${name} on the server`);
}

for (const library of libraries) {
  describe(`an app with remotestorage.js ${library.version} in Chromium`, () => {
    let server, folder, site, token;
    const devices = [];
    const device = async () => {
      const context = await browser.newContext();
      devices.push(context);
      const page = await context.newPage();
      await server.sign_in(page);
      return page;
    };
    before(async () => {
      server = await start_server();
      folder = assemble_app(library);
      site = await serve_folder(folder);
      token = await server.token('notes:rw');
    });
    after(async () => {
      for (const context of devices) await context.close();
      site?.stop();
      await server?.stop();
    });

    test('on another origin: discovery, one click on the consent page, documents stored', async () => {
      const page = await device();
      await page.goto(`${site.origin}/`);
      await connect(server, page);
      assert.ok(page.url().startsWith(`${site.origin}/`), page.url());
      await save(page, 'first', 'from the browser');
      await note(page, 'first').waitFor();
      await until_stored(server, token, 'first', 'from the browser');
      assert.equal(await page.locator('#error').isVisible(), false);
    });

    test('the consent page names the origin and what is asked', async () => {
      const page = await device();
      await page.goto(`${site.origin}/`);
      await page.locator('#address').fill(server.address);
      await page.getByRole('button', {name: 'Connect', exact: true}).click();
      await page.waitForURL((url) => url.origin === server.dashboard);
      await page.locator('#allow').waitFor();
      const text = await page.locator('body').innerText();
      assert.ok(text.includes(new URL(site.origin).host), text);
      assert.ok(text.includes('notes'), text);
    });

    test('stays connected over a reload', async () => {
      const page = await device();
      await page.goto(`${site.origin}/`);
      await connect(server, page);
      await page.reload();
      await page.getByText('connected as').waitFor();
      await note(page, 'first').waitFor();
    });

    test('two devices keep in step, a delete in a deep folder included', async () => {
      const [here, there] = [await device(), await device()];
      for (const page of [here, there]) {
        await page.goto(`${site.origin}/`);
        await connect(server, page);
      }
      await save(here, 'deep/1/2/gone', 'x');
      await save(here, 'deep/1/2/stays & "quotes" + ü', 'y');
      await note(there, 'deep/1/2/gone').waitFor();
      await there.locator('li', {hasText: 'stays & "quotes" + ü'}).waitFor();
      await note(here, 'deep/1/2/gone').getByRole('button').click();
      await note(there, 'deep/1/2/gone').waitFor({state: 'detached'});
      assert.equal(await there.locator('li', {hasText: 'stays'}).count(), 1);
    });

    test('served by the launcher, and opened with the address, it connects by itself', only_meshstow, async () => {
      const added = await server.command('apps', 'add', folder);
      const url = added?.url ?? `${server.origin}/apps/small-notes/`;
      const page = await device();
      await page.goto(`${url}#remotestorage=${encodeURIComponent(server.address)}`);
      await server.allow(page);
      await page.getByText('connected as').waitFor();
      await save(page, 'launched', 'by the node itself');
      await until_stored(server, token, 'launched', 'by the node itself');
    });
  });
}
