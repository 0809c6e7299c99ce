// The npm server armadietto in place of meshstow, see server.mjs. Found in MESHSTOW_PEER_MODULES, by default where bench/http/run.py installs it.
import fs from 'node:fs';
import path from 'node:path';

import {rootDir} from './modules.mjs';
import * as processes from './processes.mjs';
import {eventually, free_port, resident_kib, temporary_folder} from './processes.mjs';

const modules = process.env.MESHSTOW_PEER_MODULES ?? path.join(rootDir, 'build', 'http-bench');
const kPassword = 'a long enough password';

export class Armadietto {
  static async start({host = '127.0.0.1'} = {}) {
    const server = new Armadietto();
    server.folder = temporary_folder('armadietto');
    server.host = host;
    server.port = await free_port();
    server.authority = `${host}:${server.port}`;
    server.origin = `http://${server.authority}`;
    server.address = `me@${server.authority}`;
    server.storage = `${server.origin}/storage/me`;
    fs.writeFileSync(path.join(server.folder, 'conf.json'), JSON.stringify({
      allow_signup: true, storage_path: path.join(server.folder, 'storage'), cache_views: true, basePath: '',
      http: {host, port: server.port},
      https: {enable: false, force: false, host, port: 0, cert: '', key: ''},
      logging: {log_dir: path.join(server.folder, 'logs'), stdout: ['error'], log_files: ['error']},
    }));
    await server.serve();
    const form = new URLSearchParams({username: 'me', email: 'me@example.com', password: kPassword});
    const made = await fetch(`${server.origin}/signup`, {method: 'POST', body: form});
    if (made.status !== 201) throw new Error(`signup: ${made.status} ${await made.text()}`);
    return server;
  }

  get pid() { return this.process.pid; }
  resident_kib() { return resident_kib(this.pid); }

  async serve() {
    const log = fs.openSync(path.join(this.folder, 'log'), 'a');
    this.process = processes.start(process.execPath, [path.join(modules, 'node_modules/armadietto/bin/armadietto.js'),
      '-c', path.join(this.folder, 'conf.json')], {cwd: this.folder, stdio: ['ignore', log, log]});
    fs.closeSync(log);
    await eventually(async () => (await fetch(`${this.origin}/signup`)).ok, 'armadietto');
  }

  async token(...scopes) {
    const form = new URLSearchParams({username: 'me', password: kPassword, client_id: 'http://localhost',
      redirect_uri: 'http://localhost/', response_type: 'token', scope: scopes.join(' '), allow: 'Allow'});
    const answer = await fetch(`${this.origin}/oauth`, {method: 'POST', body: form, redirect: 'manual'});
    return new URLSearchParams(new URL(answer.headers.get('location')).hash.slice(1)).get('access_token');
  }

  async kill() { this.process.kill('SIGKILL'); await this.process.ended; }
  async stop() { await this.kill(); fs.rmSync(this.folder, {recursive: true, force: true, maxRetries: 3}); }

  async sign_in() {}
  async allow(page) {
    await page.locator('#password').fill(kPassword);
    await page.locator('button[name=allow]').click();
  }
}

export const start = (options) => Armadietto.start(options);
