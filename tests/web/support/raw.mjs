// HTTP/1.1 by hand: sends the bytes it is told to send, and reads answers as strictly as a client may.
import net from 'node:net';
import tls from 'node:tls';

import {kPatienceMs} from './processes.mjs';

export class RawConnection {
  #buffer = Buffer.alloc(0);
  #waiting = [];
  closed = false;

  // With `secure`, options of node:tls, over TLS.
  static open(port, secure) {
    const connection = new RawConnection();
    return new Promise((resolve, reject) => {
      const address = {host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true};
      const socket = secure ? tls.connect({...address, ...secure}) : net.connect(address);
      connection.socket = socket;
      socket.once(secure ? 'secureConnect' : 'connect', () => resolve(connection));
      socket.on('error', (error) => { reject(error); connection.#end(error); });
      socket.on('data', (piece) => {
        connection.#buffer = Buffer.concat([connection.#buffer, piece]);
        connection.#wake();
      });
      socket.on('end', () => connection.#end());
      socket.on('close', () => connection.#end());
    });
  }

  #end(error) { this.closed = true; this.error ??= error; this.#wake(); }
  #wake() { for (const wake of this.#waiting.splice(0)) wake(); }
  // False if the peer closed, or nothing came for that long.
  async #more(timeout = kPatienceMs) {
    if (this.closed) return false;
    let timer;
    const came = await Promise.race([
      new Promise((resolve) => { this.#waiting.push(() => resolve(true)); }),
      new Promise((resolve) => { timer = setTimeout(() => resolve(false), timeout); }),
    ]);
    clearTimeout(timer);
    return came;
  }

  send(text) { if (!this.closed) this.socket.write(text); return this; }

  // Resolves when the bytes are in the kernel's hands; false if the peer closed before.
  async send_all(bytes) {
    if (this.closed) return false;
    if (!this.socket.write(bytes)) {
      await new Promise((resolve) => {
        const events = ['drain', 'close', 'error'];
        const done = () => {
          for (const event of events) this.socket.off(event, done);
          resolve();
        };
        for (const event of events) this.socket.on(event, done);
      });
    }
    return !this.closed;
  }

  async #take(count) {
    while (this.#buffer.length < count) if (!await this.#more()) throw this.#cut();
    const taken = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return taken;
  }
  async #line() {
    let at;
    while ((at = this.#buffer.indexOf('\r\n')) < 0) if (!await this.#more()) throw this.#cut();
    return (await this.#take(at + 2)).subarray(0, at).toString('latin1');
  }
  #cut() {
    return Object.assign(new Error(`connection ended, or nothing came; unread: ${this.#buffer.subarray(0, 200)}`),
      {code: 'CUT', cause: this.error});
  }

  // The next response: {status, headers (lower-case names; lists joined), body}. {method: 'HEAD'} has no body.
  async response({method = 'GET', sink} = {}) {
    const line = await this.#line();
    const parsed = /^HTTP\/1\.[01] (\d{3})( .*)?$/.exec(line);
    if (!parsed) throw new Error(`not a status line: ${line.slice(0, 100)}`);
    const status = Number(parsed[1]);
    const headers = {};
    for (let header; (header = await this.#line()) !== '';) {
      const colon = header.indexOf(':');
      const name = header.slice(0, colon).toLowerCase();
      const value = header.slice(colon + 1).trim();
      headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
    }
    const answer = {status, headers, body: Buffer.alloc(0)};
    if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return answer;
    const pieces = [];
    const give = sink ?? ((piece) => pieces.push(piece));
    if (headers['transfer-encoding']) {
      for (let size; (size = parseInt(await this.#line(), 16)) > 0;) {
        give(await this.#take(size));
        await this.#take(2);
      }
      while (await this.#line() !== '') { /* trailers */ }
    } else if ('content-length' in headers) {
      let left = Number(headers['content-length']);
      while (left > 0) {
        if (!this.#buffer.length && !await this.#more()) throw this.#cut();
        const piece = await this.#take(Math.min(left, this.#buffer.length));
        left -= piece.length;
        give(piece);
      }
    } else {
      while (await this.#more()) { /* until it closes */ }
      give(await this.#take(this.#buffer.length));
    }
    answer.body = Buffer.concat(pieces);
    return answer;
  }

  // What came besides the answers that were read, once the peer closed; null if it did not within `timeout`.
  async rest(timeout = kPatienceMs) {
    while (!this.closed) if (!await this.#more(timeout)) break;
    return this.closed ? this.#buffer.toString('latin1') : null;
  }
  unread() { return this.#buffer.length; }

  reset() { this.socket.resetAndDestroy(); }
  finish() { this.socket.end(); }
  close() { this.socket.destroy(); }
}

// One exchange on a connection of its own, with nothing added to `bytes`.
export async function exchange(port, bytes, options) {
  const connection = await RawConnection.open(port);
  connection.send(bytes);
  try {
    return {...await connection.response(options), connection};
  } catch (error) {
    connection.close();
    throw error;
  }
}

// A request as text. headers: {Name: value or [values]}; Host is added unless given.
export function request(method, target, headers = {}, body = '') {
  const lines = [`${method} ${target} HTTP/1.1`];
  for (const [name, value] of Object.entries(headers)) {
    for (const each of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${each}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
