// A plain static server: the app as any web host would serve it, on an origin of its own.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

import {webDir} from './modules.mjs';
import {temporary_folder} from './processes.mjs';

const types = {'.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css'};

// The app's folder with this library in it, as its author would publish it.
export function assemble_app(library) {
  const folder = path.join(temporary_folder('app'), 'small-notes');
  fs.cpSync(path.join(webDir, 'app'), folder, {recursive: true});
  fs.copyFileSync(library.bundle, path.join(folder, 'remotestorage.js'));
  return folder;
}

// pages: {"/path": "html"} served beside the folder.
export async function serve_folder(folder, pages = {}) {
  const server = http.createServer((request, response) => {
    const {pathname} = new URL(request.url, 'http://localhost');
    const file = path.join(folder, path.normalize(pathname.endsWith('/') ? `${pathname}index.html` : pathname));
    if (pages[pathname]) {
      response.writeHead(200, {'Content-Type': types['.html']}).end(pages[pathname]);
    } else if (file.startsWith(folder) && fs.existsSync(file)) {
      response.writeHead(200, {'Content-Type': types[path.extname(file)] ?? 'application/octet-stream'});
      fs.createReadStream(file).pipe(response);
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {origin: `http://localhost:${server.address().port}`,
          stop: () => { server.closeAllConnections(); server.close(); }};
}
