// A small app such as people write: notes in nested folders, kept in step by the library alone.
// remotestorage.js is put beside it when it is served; either generation works.
'use strict';
const Library = RemoteStorage.RemoteStorage ?? RemoteStorage.default ?? RemoteStorage;
const element = (id) => document.getElementById(id);

const storage = new Library({cache: true, modules: [
  {name: 'notes', builder: (client) => ({exports: {client}})},
]});
storage.access.claim('notes', 'rw');
storage.caching.enable('/notes/');
storage.setSyncInterval(2000);
const client = storage.notes.client;
window.app = {storage, client};

function show_status(text) { element('status').textContent = text; }
function show_connected(connected) {
  element('connect').hidden = connected;
  element('disconnect').hidden = !connected;
}

storage.on('ready', show_notes);
storage.on('not-connected', () => { show_status('not connected'); show_connected(false); });
storage.on('connecting', () => show_status('connecting'));
storage.on('connected', () => {
  show_status(`connected as ${storage.remote.userAddress}`);
  show_connected(true);
});
storage.on('disconnected', () => { show_status('not connected'); show_connected(false); });
storage.on('error', (error) => {
  element('error').hidden = false;
  element('error').textContent = `${error.name}: ${error.message}`;
});
client.on('change', show_notes);

element('connect').addEventListener('submit', (event) => {
  event.preventDefault();
  storage.connect(element('address').value);
});
element('disconnect').addEventListener('click', () => storage.disconnect());
element('add').addEventListener('submit', async (event) => {
  event.preventDefault();
  await client.storeFile('text/plain', element('name').value, element('text').value);
  event.target.reset();
  await show_notes();
});

async function paths_below(folder) {
  const paths = [];
  for (const name of Object.keys(await client.getListing(folder, false) ?? {})) {
    if (name.endsWith('/')) paths.push(...await paths_below(folder + name));
    else paths.push(folder + name);
  }
  return paths;
}

let newest = 0;
async function show_notes() {
  const mine = ++newest;
  const items = [];
  for (const path of (await paths_below('')).sort()) {
    const {data} = await client.getFile(path, false);
    if (data === undefined || data === false) continue;
    const item = document.createElement('li');
    item.dataset.path = path;
    const remove = document.createElement('button');
    remove.textContent = 'Delete';
    remove.addEventListener('click', async () => {
      await client.remove(path);
      await show_notes();
    });
    item.append(`${path}: ${data}`, remove);
    items.push(item);
  }
  if (mine === newest) element('notes').replaceChildren(...items);
}
