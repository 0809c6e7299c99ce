// Makes docs/images/{consent,dashboard,files}-{light,dark,phone}.png from a served node with example documents.
//
//   node tests/web/screenshots.mjs [FOLDER]      after tests/web/run.sh has installed its packages
import fs from 'node:fs';
import path from 'node:path';

import {start_browser} from './support/browser.mjs';
import {rootDir} from './support/modules.mjs';
import {start_server} from './support/server.mjs';

const folder = process.argv[2] ?? path.join(rootDir, 'docs', 'images');
const looks = {
  light: {viewport: {width: 1280, height: 800}, colorScheme: 'light'},
  dark: {viewport: {width: 1280, height: 800}, colorScheme: 'dark'},
  phone: {viewport: {width: 390, height: 844}, colorScheme: 'light', deviceScaleFactor: 2, isMobile: true, hasTouch: true},
};
const documents = [
  ['/notes/2026/garden plan', 'text/markdown', '# Garden\n\nPotatoes by the fence.\n'],
  ['/notes/2026/letter to Ana', 'text/markdown', 'Dear Ana,\n'],
  ['/notes/tide table', 'text/plain', 'x'.repeat(5300)],
  ['/notes/shopping', 'text/plain', 'bread, lamp oil, batteries\n'],
  ['/bookmarks/reticulum', 'application/json', '{"url":"https://reticulum.network/"}'],
  ['/bookmarks/remotestorage', 'application/json', '{"url":"https://remotestorage.io/"}'],
  ['/contacts/ana', 'text/vcard', 'BEGIN:VCARD\nFN:Ana\nEND:VCARD\n'],
  ['/pictures/harbour.png', 'image/png', Buffer.alloc(182_000, 7)],
  ['/pictures/ridge.png', 'image/png', Buffer.alloc(96_000, 9)],
  ['/public/pictures/antenna.png', 'image/png', Buffer.alloc(64_000, 3)],
  ['/public/pages/welcome.html', 'text/html', '<h1>Welcome</h1>'],
];

// On the address that people see, if it is free.
const server = await start_server({host: 'localhost', port: 8181});
const token = await server.token('*:rw');
for (const [name, type, body] of documents) {
  const answer = await fetch(encodeURI(server.storage + name), {method: 'PUT', body,
    headers: {Authorization: `Bearer ${token}`, 'Content-Type': type}});
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
}
const finger = await fetch(`${server.origin}/.well-known/webfinger?resource=acct:${server.address}`);
const [link] = (await finger.json()).links;
const consent = `${link.properties['http://tools.ietf.org/html/rfc6749#section-4.2']}?${new URLSearchParams({
  redirect_uri: 'https://notes.example/', client_id: 'https://notes.example', response_type: 'token', scope: 'notes:rw contacts:r'})}`;

const browser = await start_browser();
fs.mkdirSync(folder, {recursive: true});
for (const [look, options] of Object.entries(looks)) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const shoot = async (name) => {
    await page.waitForTimeout(500);  // animations
    await page.screenshot({path: path.join(folder, `${name}-${look}.png`)});
  };
  await server.sign_in(page);
  await page.getByText('notes').first().waitFor();
  await shoot('dashboard');
  await page.getByRole('link', {name: /files/i}).or(page.getByRole('button', {name: /files/i})).first().click();
  await page.getByRole('link', {name: 'notes/', exact: true}).click();
  await page.getByText('shopping').waitFor();
  await shoot('files');
  await page.goto(consent);
  await page.locator('#allow').waitFor();
  await shoot('consent');
  await context.close();
}
await browser.close();
await server.stop();
