// Mixed load that remembers what was acknowledged, and afterwards accuses the server of what it forgot.
import {pause} from './processes.mjs';
import {RawConnection, request} from './raw.mjs';

const kKeysEach = 8;

// A body that tells which write it is and shows if it is torn.
function body_of(name, number) {
  const line = `${name}#${number};`;
  return line.repeat(1 + (number * 7919) % 400);
}
function is_whole(name, body) {
  const number = /#(\d+);/.exec(body)?.[1];
  return number !== undefined && body === body_of(name, Number(number));
}

export class Load {
  // What each document may be: `known` was acknowledged last (a body, or null where there is none), `pending` was
  // sent since and may have been done or not.
  documents = new Map();
  counts = {puts: 0, gets: 0, deletes: 0, conditional: 0, listings: 0, broken: 0, refused_connections: 0};
  faults = [];
  #running = true;
  #number = 0;

  constructor(server, token, connections) {
    this.server = server;
    this.token = token;
    this.workers = Array.from({length: connections}, (_, worker) => this.#work(worker));
  }

  async stop() {
    this.#running = false;
    await Promise.all(this.workers);
  }

  #fault(text) { if (this.faults.length < 20) this.faults.push(text); }
  #headers(more = {}) {
    return {Host: this.server.authority, Authorization: `Bearer ${this.token}`, ...more};
  }
  #target(name) { return `/storage/me/load/${name}`; }

  // Documents of one worker are written by it alone, so that it knows what they must be.
  async #work(worker) {
    let connection;
    const random = this.#random(worker + 1);
    for (let n = 0; n < kKeysEach; ++n) {
      this.documents.set(`w${worker}/d${n}`, {known: null, etag: null, pending: []});
    }
    while (this.#running) {
      try {
        if (!connection || connection.closed) connection = await RawConnection.open(this.server.port);
      } catch {
        ++this.counts.refused_connections;
        await pause(20);
        continue;
      }
      try {
        await this.#step(connection, `w${worker}/d${random(kKeysEach)}`, random);
      } catch (error) {
        if (error.code !== 'CUT') this.#fault(error.stack);
        ++this.counts.broken;
        connection.close();
        connection = undefined;
      }
    }
    connection?.close();
  }

  #random(seed) {
    let state = seed * 2654435761 >>> 0;
    return (below) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor(state / 4294967296 * below);
    };
  }

  async #step(connection, name, random) {
    const kind = random(100);
    if (kind < 50) await this.#put(connection, name, random);
    else if (kind < 60) await this.#delete(connection, name);
    else if (kind < 65) await this.#list(connection, name);
    else await this.#get(connection, name, kind < 80);
  }

  async #put(connection, name, random) {
    const document = this.documents.get(name);
    const body = body_of(name, ++this.#number);
    const headers = this.#headers({'Content-Type': 'text/plain', 'Content-Length': body.length});
    if (document.pending.length === 0 && random(2)) {
      if (document.etag) headers['If-Match'] = document.etag; else headers['If-None-Match'] = '*';
    }
    document.pending.push(body);
    const answer = await connection.send(request('PUT', this.#target(name), headers, body)).response();
    if (answer.status !== 200 && answer.status !== 201) return this.#fault(`PUT ${name}: ${answer.status}`);
    ++this.counts.puts;
    Object.assign(document, {known: body, etag: answer.headers.etag, pending: []});
  }

  async #delete(connection, name) {
    const document = this.documents.get(name);
    const existed = document.known !== null;
    const sure = document.pending.length === 0;
    document.pending.push(null);
    const answer = await connection.send(request('DELETE', this.#target(name), this.#headers())).response();
    if (sure ? answer.status !== (existed ? 200 : 404) : ![200, 404].includes(answer.status)) {
      this.#fault(`DELETE ${name}: ${answer.status}, existed ${existed}`);
    }
    ++this.counts.deletes;
    Object.assign(document, {known: null, etag: null, pending: []});
  }

  async #get(connection, name, conditional) {
    const document = this.documents.get(name);
    const headers = this.#headers(conditional && document.etag ? {'If-None-Match': document.etag} : {});
    const answer = await connection.send(request('GET', this.#target(name), headers)).response();
    if (answer.status === 304) {
      ++this.counts.conditional;
      return this.#settle(name, document, document.known, answer);
    }
    ++this.counts.gets;
    if (answer.status !== 200 && answer.status !== 404) return this.#fault(`GET ${name}: ${answer.status}`);
    this.#settle(name, document, answer.status === 200 ? answer.body.toString() : null, answer);
  }

  // What was read is what was acknowledged, or what was on its way when the server died; from now on it is known.
  #settle(name, document, body, answer) {
    if (body !== null && !is_whole(name, body)) this.#fault(`torn: ${name} is ${body.slice(0, 80)}`);
    if (body !== document.known && !document.pending.includes(body)) {
      this.#fault(`lost: ${name} is ${body?.slice(0, 40)}, acknowledged was ${document.known?.slice(0, 40)}`);
    } else if (body !== null && body === document.known && document.etag && answer.headers.etag !== document.etag) {
      this.#fault(`${name}: ETag ${answer.headers.etag} was ${document.etag} for the same content`);
    }
    Object.assign(document, {known: body, etag: body === null ? null : answer.headers.etag, pending: []});
  }

  async #list(connection, name) {
    const folder = name.slice(0, name.indexOf('/') + 1);
    const answer = await connection.send(request('GET', this.#target(folder), this.#headers())).response();
    if (answer.status !== 200) return this.#fault(`listing ${folder}: ${answer.status}`);
    ++this.counts.listings;
    const {items} = JSON.parse(answer.body.toString());
    for (let n = 0; n < kKeysEach; ++n) {
      const document = this.documents.get(`${folder}d${n}`);
      if (document.pending.length) continue;
      const listed = items[`d${n}`];
      if ((listed !== undefined) !== (document.known !== null)) this.#fault(`listing ${folder}: d${n} ${!!listed}`);
      else if (listed && `"${listed.ETag}"` !== document.etag) this.#fault(`listing ${folder}: ETag of d${n}`);
      else if (listed && listed['Content-Length'] !== document.known.length) this.#fault(`listing ${folder}: size of d${n}`);
    }
  }

  // Reads every document once more. Call when stopped.
  async verify() {
    const connection = await RawConnection.open(this.server.port);
    for (const name of this.documents.keys()) await this.#get(connection, name, false);
    connection.close();
    return this.faults;
  }
}
