// One remotestorage.js client. The library keeps its state in module globals, so each client is a process
// of its own; library_client.mjs talks to it over the fork's channel and it ends with its parent.
//
// argv: the folder of the library; the module ("notes"); "cached" or "direct".
'use strict';
const [folder, moduleName, mode] = process.argv.slice(2);

// A web app has localStorage; with it the library keeps its settings and its cache as in a page.
class Storage {
  getItem(key) { return Object.hasOwn(this, key) ? this[key] : null; }
  setItem(key, value) { this[key] = String(value); }
  removeItem(key) { delete this[key]; }
  clear() { for (const key of Object.keys(this)) delete this[key]; }
  key(index) { return Object.keys(this)[index] ?? null; }
  get length() { return Object.keys(this).length; }
}
Object.defineProperty(globalThis, 'localStorage', {value: new Storage(), configurable: true});

globalThis.FileReader ??= class {
  #listeners = [];
  addEventListener(name, listener) { this.#listeners.push(listener); }
  async readAsText(blob, encoding = 'utf-8') {
    this.result = new TextDecoder(encoding).decode(await blob.arrayBuffer());
    for (const listener of this.#listeners) listener({target: this});
  }
};

// The bundle that pages load: the sources of 1.2.3 do not start with the webfinger.js that npm gives them now.
globalThis.XMLHttpRequest ??= require(require.resolve('xhr2', {paths: [folder]}));
const loaded = require(`${folder}/release/remotestorage.js`);
const RemoteStorage = loaded.RemoteStorage ?? loaded.default ?? loaded;
const events = [];
let ahead = 0;
const storage = new RemoteStorage({cache: mode === 'cached', logging: !!process.env.MESHSTOW_WEB_VERBOSE,
  modules: [{name: moduleName, builder: (privateClient, publicClient) => (
    {exports: {private: privateClient, public: publicClient}})}]});
storage.access.claim(moduleName, 'rw');
if (mode === 'cached') storage.caching.enable(`/${moduleName}/`);
const app = storage[moduleName];

for (const name of ['connected', 'disconnected', 'not-connected', 'error', 'sync-done', 'network-offline']) {
  storage.on(name, (detail) => events.push({name, detail: detail && {name: detail.name,
    message: detail.message ?? String(detail), completed: detail.completed}}));
}
app.private.on('change', (change) => {
  events.push({name: 'change', origin: change.origin, path: change.relativePath});
});

const calls = {
  connect: (address, token) => new Promise((resolve, reject) => {
    storage.on('connected', () => resolve(storage.remote.href));
    storage.on('error', reject);
    storage.connect(address, token);
  }),
  properties: () => storage.remote.properties,
  store: (type, path, body) => app.private.storeFile(type, path, body),
  store_bytes: (type, path, base64) => {
    const bytes = Buffer.from(base64, 'base64');
    return app.private.storeFile(type, path, new Uint8Array(bytes).buffer);
  },
  read: async (path) => plain(await app.private.getFile(path, false)),
  list: (path) => app.private.getListing(path, false),
  remove: async (path) => { await app.private.remove(path); },
  publish: async (path, type, body) => {
    await app.public.storeFile(type, path, body);
    return app.public.getItemURL(path);
  },
  list_public: (path) => app.public.getListing(path, false),
  // One round of the library's own synchronisation. It asks again only about what it last saw more than an
  // interval ago, so its clock is set an hour ahead before each round.
  sync: async () => {
    await settled();
    storage.stopSync();  // its own rounds; what is under way would be left lying, so not before
    ahead += 3_600_000;
    storage.sync.now = () => Date.now() + ahead;
    storage.sync.stopped = false;
    await storage.sync.sync();
    await settled();
  },
  // What the library sends on the wire, with its own handling of answers.
  wire: async (method, ...args) => plain(await storage.remote[method](...args)),
  events: (name) => events.filter((event) => event.name === name),
  clear_events: () => { events.length = 0; },
};

function plain(answer) {
  const result = {...answer};
  for (const key of ['data', 'body']) {
    if (result[key] instanceof ArrayBuffer || ArrayBuffer.isView(result[key])) {
      result[key] = {base64: Buffer.from(result[key]).toString('base64')};
    }
  }
  return result;
}

// The library resolves sync() before its last answers are merged; nothing runs and nothing is queued after.
async function settled() {
  const busy = () => Object.keys(storage.sync._running).length || Object.keys(storage.sync._tasks).length;
  const end = Date.now() + 240_000;  // bounds what should take a second
  let calm = 0;
  while (calm < 5 && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    calm = busy() ? 0 : calm + 1;
  }
  if (calm < 5) {
    throw new Error(`synchronisation did not settle; running ${Object.keys(storage.sync._running)}, ` +
      `waiting ${Object.keys(storage.sync._tasks)}, ${JSON.stringify(events.slice(-3))}`);
  }
}

process.on('message', async ({id, name, args}) => {
  try {
    process.send({id, value: await calls[name](...args)});
  } catch (error) {
    process.send({id, error: error?.message ?? String(error)});
  }
});
process.on('disconnect', () => process.exit());
storage.on('ready', () => process.send({ready: true}));
