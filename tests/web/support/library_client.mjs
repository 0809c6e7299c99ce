// Drives one remotestorage.js client in a process of its own: `await client.call.store('text/plain', 'a', 'x')`.
// The calls are those of library_worker.cjs.
import {fork} from 'node:child_process';
import path from 'node:path';

import {webDir} from './modules.mjs';

export class LibraryClient {
  #next = 1;
  #waiting = new Map();

  static async start(library, {module = 'notes', mode = 'cached'} = {}) {
    const client = new LibraryClient();
    client.process = fork(path.join(webDir, 'support', 'library_worker.cjs'), [library.folder, module, mode]);
    await new Promise((resolve, reject) => {
      client.process.on('message', (message) => {
        if (message.ready) return resolve();
        const {resolve: give, reject: fail} = client.#waiting.get(message.id);
        client.#waiting.delete(message.id);
        if ('error' in message) fail(new Error(message.error)); else give(message.value);
      });
      client.process.on('exit', (code) => {
        const error = new Error(`the library's process ended (${code})`);
        reject(error);
        for (const call of client.#waiting.values()) call.reject(error);
      });
    });
    return client;
  }

  call = new Proxy({}, {get: (_, name) => (...args) => new Promise((resolve, reject) => {
    const id = this.#next++;
    this.#waiting.set(id, {resolve, reject});
    this.process.send({id, name, args});
  })});

  stop() { this.process.disconnect(); }
}
