// Child processes that cannot outlive the tests: the kernel ends them with this one (setpriv --pdeathsig),
// and temporary folders go at exit.
import {spawn, spawnSync} from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const folders = new Set();
const mounts = new Set();
const children = new Set();

function clean_up() {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of mounts) unmount(folder);
  if (process.env.MESHSTOW_WEB_KEEP) return;
  for (const folder of folders) fs.rmSync(folder, {recursive: true, force: true, maxRetries: 3});
}
process.on('exit', clean_up);
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => process.exit(1));

export function temporary_folder(name) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `meshstow-web-${name}-`));
  folders.add(folder);
  return folder;
}

// A file system of that size in memory, gone when this process ends; null where this user may mount none.
export function small_disk(name, mib) {
  const folder = temporary_folder(name);
  const how = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'meshstow-web', folder]);
  if (how.status !== 0) return null;
  mounts.add(folder);
  return folder;
}
export function unmount(folder) {
  // Lazily: a process that was just killed may not have let go of it yet.
  if (mounts.delete(folder)) spawnSync('umount', ['-l', folder]);
}

export function start(command, args, options = {}) {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], options);
  children.add(child);
  child.ended = new Promise((resolve) => {
    child.once('error', (error) => resolve({error}));
    child.once('exit', (code, signal) => resolve({code, signal}));
  }).then((end) => { children.delete(child); return end; });
  return child;
}

// Runs to the end; {code, stdout, stderr}. input: what it reads.
export async function run(command, args, {input = '', ...options} = {}) {
  const child = start(command, args, {...options, stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe']});
  child.stdin?.on('error', () => {});  // it may end without having read all
  child.stdin?.end(input);
  const texts = [child.stdout, child.stderr].map(async (pipe) => {
    let text = '';
    for await (const piece of pipe.setEncoding('utf8')) text += piece;
    return text;
  });
  const [end, stdout, stderr] = await Promise.all([child.ended, ...texts]);
  if (end.error) throw end.error;
  return {code: end.code, stdout, stderr};
}

// `preferred` if it is free.
export function free_port(preferred = 0) {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', (error) => { if (preferred) resolve(free_port()); else reject(error); });
    probe.listen(preferred, '127.0.0.1', () => {
      const {port} = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

// Resident memory in KiB. Includes file pages mapped in, as `ps` shows it.
export function resident_kib(pid) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Bounds what should take a second: it only ends a test that would hang.
export const kPatienceMs = 240_000;

// Asks until the answer is true; returns it.
export async function eventually(question, what = 'it') {
  const end = Date.now() + kPatienceMs;
  let last;
  while (Date.now() < end) {
    try {
      last = undefined;
      const answer = await question();
      if (answer) return answer;
    } catch (error) { last = error; }
    await pause(50);
  }
  throw new Error(`${what} did not come about`, {cause: last});
}

// The largest resident memory in KiB since begin_peak().
export function begin_peak(pid) { fs.writeFileSync(`/proc/${pid}/clear_refs`, '5'); }
export function peak_kib(pid) {
  return Number(/^VmHWM:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

export function open_file_limit(pid) {
  return Number(/^Max open files\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/limits`, 'utf8'))[1]);
}
