// A meshstow of a test: its own home, its own port, nothing of the user's.
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';

import {rootDir} from './modules.mjs';
import {eventually, free_port, kPatienceMs, resident_kib, run, start, temporary_folder} from './processes.mjs';

export const binary = process.env.MESHSTOW_BINARY ?? path.join(rootDir, 'build', 'release', 'meshstow');

export class Meshstow {
  // flags: further arguments of `serve`; folder: where its home is made.
  static async start({flags = [], host = process.env.MESHSTOW_WEB_HOST ?? 'localhost', port, init = [], folder} = {}) {
    const server = new Meshstow();
    server.folder = folder ?? temporary_folder('home');
    server.home = path.join(server.folder, 'home');
    server.flags = flags;
    server.host = host;
    server.port = await free_port(port);
    server.authority = `${host}:${server.port}`;
    server.http = server.authority;  // 'off': only what the flags say
    server.origin = `http://${server.authority}`;
    server.log = path.join(server.folder, 'serve.log');
    server.init = await server.command('init', ...init);
    await server.serve();
    return server;
  }

  get address() { return `me@${this.authority}`; }
  // Where the dashboard is, and what is signed in: another origin than that of the documents.
  get dashboard() { return new URL(this.ready.url).origin; }
  get storage() { return `${this.origin}/storage/me`; }
  get pid() { return this.process.pid; }
  resident_kib() { return resident_kib(this.pid); }

  #environment() {
    const env = {...process.env, HOME: this.folder, XDG_CONFIG_HOME: path.join(this.folder, 'xdg')};
    delete env.MESHSTOW_HOME;
    return env;
  }

  // Starts it on the same home and port; resolves once it accepts work.
  async serve() {
    const log = fs.openSync(this.log, 'a');
    this.process = start(binary, ['--home', this.home, 'serve', '--http', this.http,
      '--reticulum', 'off', '--json', ...this.flags],
      {env: this.#environment(), cwd: this.folder, stdio: ['ignore', 'pipe', log]});
    fs.closeSync(log);
    const lines = readline.createInterface({input: this.process.stdout});
    this.ready = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not ready after ${kPatienceMs} ms`)), kPatienceMs);
      timer.unref();
      lines.on('line', (line) => {
        fs.appendFileSync(this.log, `${line}\n`);
        const event = JSON.parse(line);
        if (event.event === 'ready') { clearTimeout(timer); resolve(event); }
      });
      this.process.ended.then((end) => reject(new Error(
        `serve ended before it was ready (${JSON.stringify(end)}):\n${fs.readFileSync(this.log, 'utf8')}`)));
    });
  }

  // Runs a command on this home; its JSON answer. Rejects with the error text if it fails.
  async command(...args) { return this.command_with('', ...args); }
  async command_with(input, ...args) {
    const {code, stdout, stderr} = await run(binary, ['--home', this.home, '--json', ...args],
      {env: this.#environment(), cwd: this.folder, input});
    if (code !== 0) throw Object.assign(new Error(`meshstow ${args.join(' ')}: exit ${code}: ${stderr}${stdout}`),
      {code, stderr});
    return stdout.trim() ? JSON.parse(stdout) : null;
  }

  async token(...scopes) {
    const made = await this.command('token', 'create', ...scopes.flatMap((scope) => ['--scope', scope]));
    return made.token;
  }
  async token_with_id(...scopes) {
    return this.command('token', 'create', ...scopes.flatMap((scope) => ['--scope', scope]));
  }

  async sign_in_url() { return (await this.command('open')).url; }

  async kill() {
    this.process.kill('SIGKILL');
    await this.process.ended;
  }

  // Asks it to end; {code, signal}.
  async stop_serving() {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGTERM');
      const timer = setTimeout(() => this.process.kill('SIGKILL'), kPatienceMs);
      this.end = await this.process.ended;
      clearTimeout(timer);
    }
    return this.end;
  }

  async stop() {
    await this.stop_serving();
    if (!process.env.MESHSTOW_WEB_KEEP) fs.rmSync(this.folder, {recursive: true, force: true, maxRetries: 3});
  }

  // How a person grants what the consent page asks for.
  async sign_in(page) { await page.goto(await this.sign_in_url()); }
  async allow(page) { await page.locator('#allow').click(); }

  async answers() {
    return eventually(async () => (await fetch(`${this.origin}/storage/me/`)).status === 401, 'an answer');
  }
}
